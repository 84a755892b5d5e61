#pragma once

#include "recipe/recipe.h"

namespace coppice::train {

/// The learning rate as a share of its peak after `epoch` (fractional: 1.5 is the middle of the
/// second) of `epochs`.
///
/// constant, step and cosine (Loshchilov and Hutter, ICLR 2017) start at the peak, after a linear
/// warm-up from 0 if there is one. one_cycle (Smith and Topin, 2019) rises along a cosine from 1/25
/// of the peak during the warm-up epochs, or the first 30 % without any, and then falls to
/// `final_share`.
double learning_rate_share(const recipe::ScheduleOptions& options, double epoch, double epochs);

}  // namespace coppice::train
