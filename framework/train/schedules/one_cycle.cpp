#include <algorithm>

#include "train/schedule.h"

namespace coppice::train {

namespace {

constexpr double kFirstShare = 1.0 / 25;

/// `start` at both ends (`end` at the last), `peak` where the learning rate has its own.
double cycle(const recipe::ScheduleOptions& options,
             double epoch,
             double epochs,
             double start,
             double peak,
             double end) {
  const double rise =
      options.warmup_epochs > 0 ? std::min(options.warmup_epochs, epochs) : 0.3 * epochs;
  if (epoch < rise) {
    return anneal(start, peak, epoch / rise);
  }
  return epochs > rise ? anneal(peak, end, (epoch - rise) / (epochs - rise)) : peak;
}

}  // namespace

double one_cycle_shape(const recipe::ScheduleOptions& options, double epoch, double epochs) {
  return cycle(options, epoch, epochs, kFirstShare, 1, options.final_share);
}

std::optional<double> scheduled_momentum(const recipe::ScheduleOptions& options,
                                         double epoch,
                                         double epochs) {
  if (options.name != "one_cycle" || !options.cycle_momentum) {
    return std::nullopt;
  }
  return cycle(options,
               epoch,
               epochs,
               options.highest_momentum,
               options.lowest_momentum,
               options.highest_momentum);
}

}  // namespace coppice::train
