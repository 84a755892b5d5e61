#pragma once

#include <cstdint>

#include "data/dataset.h"
#include "graph/tensor.h"

namespace coppice::train {

/// The first `count` samples of a data set (all of them when it has fewer) as [n, …] in the
/// schema's type.
graph::Tensor first_samples(const data::Dataset& dataset, int64_t count);

}  // namespace coppice::train
