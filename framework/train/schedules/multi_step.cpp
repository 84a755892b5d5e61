#include <algorithm>
#include <cmath>

#include "train/schedule.h"

namespace coppice::train {

double multi_step_shape(const recipe::ScheduleOptions& options, double epoch, double /*epochs*/) {
  const auto passed = std::ranges::count_if(options.milestones, [&](int64_t milestone) {
    return static_cast<double>(milestone) <= epoch;
  });
  return std::pow(options.step_factor, static_cast<double>(passed));
}

}  // namespace coppice::train
