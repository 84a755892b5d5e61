#include "compress/prune_schedule.h"

#include <cmath>

#include <fmt/format.h>

#include "compress/prune_options.h"
#include "core/error.h"

namespace coppice::compress {

void ScheduleOptions::visit(core::Fields& f) {
  f.field("steps", steps, {.help = "prunings, each followed by recovery", .min = 1, .max = 1000});
  f.field("curve",
          curve,
          {.help = "how the target falls from step to step", .choices = {"polynomial", "linear"}});
  f.field("power",
          power,
          {.help = "of polynomial: larger cuts more in the first steps", .min = 0.1, .max = 10});
}

std::vector<double> ratios(const ScheduleOptions& schedule, double last) {
  if (schedule.steps < 1) {
    throw core::Error(core::ErrorKind::InvalidArgument, "prune: schedule.steps must be at least 1");
  }
  const double power = schedule.curve == "linear" ? 1 : schedule.power;
  std::vector<double> result;
  for (int64_t t = 1; t < schedule.steps; ++t) {
    const double left = 1 - static_cast<double>(t) / static_cast<double>(schedule.steps);
    result.push_back(1 - (1 - last) * (1 - std::pow(left, power)));
  }
  result.push_back(last);
  return result;
}

std::vector<PruneOptions> targets_of(const PruneOptions& options, double before) {
  TargetOptions target = target_of(options);
  if (target.value > 0 && options.schedule.steps > 1) {
    if (!(before > 0)) {
      throw core::Error(
          core::ErrorKind::InvalidArgument,
          "prune: steps towards target.value need the unpruned model's " + target.metric);
    }
    if (before <= target.value) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("prune: target.value {:.10g} is met already: the unpruned "
                                    "model's {} is {:.6g}; ask for less",
                                    target.value,
                                    target.metric,
                                    before));
    }
    target.ratio = target.value / before;
  }
  std::vector<PruneOptions> steps;
  for (const double ratio : ratios(options.schedule, target.ratio)) {
    PruneOptions& step = steps.emplace_back(options);
    step.schedule.steps = 1;
    step.target = target;
    if (options.schedule.steps > 1) {
      step.target.ratio = ratio;
      step.target.value = 0;
    }
  }
  if (target.value > 0) {  // the last step is asked for what was asked for
    steps.back().target.ratio = 0;
    steps.back().target.value = target.value;
  }
  return steps;
}

}  // namespace coppice::compress
