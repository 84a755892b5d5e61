#pragma once

#include <cstdint>

#include "data/dataset.h"
#include "graph/tensor.h"

namespace coppice::train {

/// The type of a model's input that takes such samples.
graph::DType input_dtype(const data::Schema& schema);

/// A batch as [n, …] in the schema's type.
graph::Tensor to_tensor(const data::Batch& batch, const data::Schema& schema);

/// The first `count` samples of a data set (all of them when it has fewer) as [n, …] in the
/// schema's type.
graph::Tensor first_samples(const data::Dataset& dataset, int64_t count);

}  // namespace coppice::train
