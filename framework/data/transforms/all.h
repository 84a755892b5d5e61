#pragma once

#include <memory>

#include "data/transform.h"

namespace coppice::data {

std::shared_ptr<const Transform> make_flip();
std::shared_ptr<const Transform> make_flip_vertical();
std::shared_ptr<const Transform> make_shift();
std::shared_ptr<const Transform> make_crop();
std::shared_ptr<const Transform> make_rotate();
std::shared_ptr<const Transform> make_scale();
std::shared_ptr<const Transform> make_noise();
std::shared_ptr<const Transform> make_contrast();
std::shared_ptr<const Transform> make_brightness();
std::shared_ptr<const Transform> make_cutout();
std::shared_ptr<const Transform> make_blur();
std::shared_ptr<const Transform> make_shear();
std::shared_ptr<const Transform> make_stripe();
std::shared_ptr<const Transform> make_jitter();
std::shared_ptr<const Transform> make_scaling();
std::shared_ptr<const Transform> make_magnitude_warp();
std::shared_ptr<const Transform> make_time_warp();
std::shared_ptr<const Transform> make_permute();

}  // namespace coppice::data
