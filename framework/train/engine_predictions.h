#pragma once

#include <string>

#include "data/dataset.h"
#include "runtime/engine.h"
#include "train/judgement.h"

namespace coppice::train {

/// The name of what a reconstruction is compared with, which becomes an output of the model where
/// it is none: a device engine tells outputs only.
std::string expose_target(graph::Model& model);

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
