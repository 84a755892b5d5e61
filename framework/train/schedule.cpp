#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace coppice::train {

const core::Registry<ScheduleShape>& schedules() {
  static const core::Registry<ScheduleShape> registry = [] {
    core::Registry<ScheduleShape> r("schedule");
    r.add("constant", constant_shape, "the peak throughout");
    r.add("step", step_shape, "drops every few epochs");
    r.add("multi_step", multi_step_shape, "drops at given epochs");
    r.add("cosine", cosine_shape, "falls along a cosine (Loshchilov and Hutter, 2017)");
    r.add("one_cycle", one_cycle_shape, "rises, then falls (Smith, 2018)");
    r.add("plateau", constant_shape, "drops when the loss stops falling");
    return r;
  }();
  return registry;
}

double anneal(double from, double to, double progress) {
  return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * std::clamp(progress, 0.0, 1.0)));
}

double constant_shape(const recipe::ScheduleOptions& /*options*/,
                      double /*epoch*/,
                      double /*epochs*/) {
  return 1;
}

double learning_rate_share(const recipe::ScheduleOptions& options, double epoch, double epochs) {
  const double shape = schedules().get(options.name)(options, epoch, epochs);
  if (options.name == "one_cycle" || epoch >= options.warmup_epochs) {
    return shape;
  }
  const double risen = epoch / options.warmup_epochs;
  return shape * (options.warmup_start + (1 - options.warmup_start) * risen);
}

}  // namespace coppice::train
