#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace coppice::train {

namespace {

/// From `from` to `to` along half a cosine; `progress` in [0, 1].
double anneal(double from, double to, double progress) {
  return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * std::clamp(progress, 0.0, 1.0)));
}

double one_cycle(const recipe::ScheduleOptions& options, double epoch, double epochs) {
  constexpr double kFirstShare = 1.0 / 25;
  const double rise =
      options.warmup_epochs > 0 ? std::min(options.warmup_epochs, epochs) : 0.3 * epochs;
  if (epoch < rise) {
    return anneal(kFirstShare, 1, epoch / rise);
  }
  return epochs > rise ? anneal(1, options.final_share, (epoch - rise) / (epochs - rise)) : 1;
}

}  // namespace

double learning_rate_share(const recipe::ScheduleOptions& options, double epoch, double epochs) {
  if (options.name == "one_cycle") {
    return one_cycle(options, epoch, epochs);
  }
  if (epoch < options.warmup_epochs) {
    return epoch / options.warmup_epochs;
  }
  if (options.name == "constant") {
    return 1;
  }
  if (options.name == "step") {
    return std::pow(options.step_factor,
                    std::floor(epoch / static_cast<double>(options.step_epochs)));
  }
  if (options.name == "cosine") {
    const double length = epochs - options.warmup_epochs;
    return length > 0 ? anneal(1, options.final_share, (epoch - options.warmup_epochs) / length)
                      : 1;
  }
  throw core::Error(core::ErrorKind::NotFound, "unknown schedule '" + options.name + "'");
}

}  // namespace coppice::train
