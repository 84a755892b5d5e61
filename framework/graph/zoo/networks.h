#pragma once

#include "graph/zoo.h"

namespace coppice::graph {

// The networks that zoo() lists, one file each or one for a family.
Model build_mlp(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_lenet_300_100(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_lenet5(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_cnn(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_resnet(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_resnet18(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_mobilenet_v2(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_ds_cnn(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_cnn1d(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_tcn(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_autoencoder(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_conv_autoencoder(const ModelOptions& options, const ModelInput& input, uint64_t seed);
Model build_layers(const ModelOptions& options, const ModelInput& input, uint64_t seed);

}  // namespace coppice::graph
