#pragma once

#include <cstdint>

#include "data/dataset.h"

namespace coppice::data {

/// The images [channels, height, width] of a data set in another size, in memory: bilinear between
/// pixel centres, as torch.nn.functional.interpolate with align_corners=False; bytes are rounded.
/// What shrinks is not smoothed before. Throws Error{InvalidArgument} for samples that are no
/// images or a size below 1.
DatasetPtr make_resized(const DatasetPtr& base, int64_t height, int64_t width);

}  // namespace coppice::data
