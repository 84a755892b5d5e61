#pragma once

#include <filesystem>
#include <vector>

#include "loop/compression.h"
#include "loop/stage_inputs.h"
#include "loop/stages.h"

namespace coppice::loop {

/// What pruned networks are measured against: the same shape with weights drawn anew, trained as
/// the network was at first, for as many epochs as the longest chain of stages with that shape had
/// (Liu et al., Rethinking the Value of Network Pruning, ICLR 2019). One row "control-NAME" for
/// each shape that a stage NAME of `rows` gave, in their order; shapes that no stage of the
/// experiment had trained have none. `folder` takes the drawn networks.
std::vector<CompressionRow> run_controls(const CompressionOptions& options,
                                         const std::vector<CompressionRow>& rows,
                                         const StageInputs& inputs,
                                         const std::filesystem::path& folder,
                                         Stages& stages);

}  // namespace coppice::loop
