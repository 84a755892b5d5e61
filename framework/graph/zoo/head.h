#pragma once

#include "graph/builder.h"
#include "graph/zoo.h"

namespace coppice::graph {

/// A builder for the input, with the network's own random stream.
Builder start_network(const ModelInput& input, uint64_t seed);

/// Throws Error{InvalidArgument} unless a sample is channels, height, width.
void require_image(const ModelOptions& options, const ModelInput& input);

/// Dropout where asked for, the classifier "logits", and the metadata.
Model finish_network(Builder& builder,
                     const std::string& features,
                     const ModelOptions& options,
                     const ModelInput& input);

}  // namespace coppice::graph
