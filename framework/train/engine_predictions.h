#pragma once

#include <string>

#include "data/dataset.h"
#include "runtime/engine.h"
#include "train/judgement.h"

namespace coppice::train {

/// What a device engine says of a data set, batch by batch. Of reconstruction, `target` names the
/// output that the first one is to equal. REQUIRES: the engine takes batches of `batch_size`.
///
/// Throws Error{InvalidArgument} for a task that the data has no truth for, Error{Numeric} for
/// outputs that are not finite.
Predictions predict(runtime::Engine& engine,
                    const data::Dataset& dataset,
                    int64_t batch_size,
                    const JudgeOptions& options,
                    const std::string& target = "");

}  // namespace coppice::train
