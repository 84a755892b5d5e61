#pragma once

#include <string>

#include <ATen/core/ATen_fwd.h>

#include "data/dataset.h"

namespace coppice::train {

/// Ids of the samples of a batch that made the loss no number, for a message: "3, 17 and 9 more".
///
/// Those that hold no numbers; else those whose outputs are none (BatchNorm spreads one over the
/// whole batch); else all.
std::string suspect_samples(const at::Tensor& samples,
                            const at::Tensor& outputs,
                            const data::Batch& batch);

}  // namespace coppice::train
