#pragma once

#include <ATen/core/ATen_fwd.h>

#include "data/dataset.h"

namespace coppice::train {

/// Views of a batch's memory, valid as long as the batch: samples [n, …] in the schema's type,
/// labels [n] i64.
at::Tensor samples_of(const data::Batch& batch, const data::Schema& schema);
at::Tensor labels_of(const data::Batch& batch);

}  // namespace coppice::train
