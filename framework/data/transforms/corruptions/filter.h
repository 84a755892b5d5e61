#pragma once

#include <cstdint>
#include <vector>

#include "data/transforms/corruptions/corruption.h"

namespace coppice::data {

/// Gaussian blur; edge pixels continue outside. Cut off at `truncate` σ.
void gaussian_filter(Pixels& image, double sigma, double truncate = 4);
/// The same of one plane whose content repeats mirrored with its edge ("abc|cba").
void gaussian_filter_reflected(
    std::vector<float>& plane, int64_t height, int64_t width, double sigma, double truncate);

/// Correlates every plane with a square kernel of an odd side; outside it is mirrored without its
/// edge ("abc|ba").
void filter_2d(Pixels& image, const std::vector<float>& kernel, int64_t side);

/// A one-sided Gaussian along a direction, as ImageMagick's motion blur that made the published
/// files; edge pixels continue outside.
void motion_filter(Pixels& image, int radius, double sigma, double degrees);

/// Enlarges about the centre by a factor of at least 1, bilinear: a cut from the middle grows, its
/// first and last pixel staying first and last, and what is too much is trimmed.
void zoom(Pixels& image, double factor);

/// Bilinear value of a plane, coordinates moved to within it.
float bilinear(const float* plane, int64_t height, int64_t width, double y, double x);

}  // namespace coppice::data
