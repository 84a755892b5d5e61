#pragma once

#include <optional>
#include <string>

#include "loop/compression_options.h"

namespace coppice::loop {

/// The train stage that taught the network which the chain of stages up to `name` goes back to:
/// what a control repeats. Of a family it is the member's own part: the family's recipe, with those
/// that taught the member as teachers. nullopt where no stage trained it. REQUIRES: check(options).
std::optional<StageOptions> first_training(const CompressionOptions& options,
                                           const std::string& name);

}  // namespace coppice::loop
