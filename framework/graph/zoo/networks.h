#pragma once

#include "graph/zoo.h"

namespace coppice::graph {

// The networks that zoo() lists, one file each.
Model build_mlp(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_cnn(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_resnet(const ModelOptions& options, const ModelInput& input, uint64_t seed);

}  // namespace coppice::graph
