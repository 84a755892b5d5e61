#pragma once

#include "data/dataset.h"
#include "loop/compression_options.h"

namespace coppice::loop {

/// Whether the hints of every train stage name nodes that student and teachers will have: follows
/// the networks from stage to stage, built without weights that mean anything, or read where they
/// are ONNX files. Pruning changes channels, not names; of networks whose names depend on weights
/// (low_rank, quantise) their own jobs ask.
///
/// REQUIRES: stages name earlier ones. Throws what recipe::check_hints throws; messages begin with
/// the field ("stages.2.train.distil.hints.0.teacher: …").
void check_stage_hints(const CompressionOptions& options, const data::Schema& schema);

}  // namespace coppice::loop
