#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/ATen_fwd.h>

#include "data/dataset.h"

namespace coppice::train {

/// Views of a batch's memory, valid as long as the batch: samples [n, …] in the schema's type,
/// labels [n] i64, targets [n, k] f32.
at::Tensor samples_of(const data::Batch& batch, const data::Schema& schema);
at::Tensor labels_of(const data::Batch& batch);
at::Tensor targets_of(const data::Batch& batch);

/// A view of `positions`, to select rows by, valid as long as they are.
at::Tensor positions_of(const std::vector<int64_t>& positions);

}  // namespace coppice::train
