#include <cmath>

#include "train/schedule.h"

namespace coppice::train {

double step_shape(const recipe::ScheduleOptions& options, double epoch, double /*epochs*/) {
  return std::pow(options.step_factor,
                  std::floor(epoch / static_cast<double>(options.step_epochs)));
}

}  // namespace coppice::train
