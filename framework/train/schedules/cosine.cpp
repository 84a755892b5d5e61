#include <algorithm>

#include "train/schedule.h"

namespace coppice::train {

double cosine_shape(const recipe::ScheduleOptions& options, double epoch, double epochs) {
  const double length = epochs - options.warmup_epochs;
  return length > 0 ? anneal(1, options.final_share, (epoch - options.warmup_epochs) / length) : 1;
}

}  // namespace coppice::train
