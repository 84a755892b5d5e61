#pragma once

#include "graph/builder.h"
#include "graph/zoo.h"

namespace coppice::graph {

/// A builder for the input, with the network's own random stream.
Builder start_network(const ModelInput& input, uint64_t seed);

/// Throws Error{InvalidArgument} unless a sample is channels, height, width.
void require_image(const ModelOptions& options, const ModelInput& input);

/// Throws Error{InvalidArgument} unless a sample is channels, time.
void require_series(const ModelOptions& options, const ModelInput& input);

/// The standardised input as rows of features.
std::string flat_input(Builder& builder, const ModelInput& input);

/// The standardised series as an image of height 1.
std::string series_input(Builder& builder, const ModelInput& input);

/// Dropout where asked for, the head (see Head), and the metadata. Throws Error{InvalidArgument}
/// for a classifier without classes or a regressor without outputs.
Model finish_network(Builder& builder,
                     const std::string& features,
                     const ModelOptions& options,
                     const ModelInput& input);

/// The same without dropout.
Model finish_with_head(Builder& builder,
                       const std::string& features,
                       const ModelOptions& options,
                       const ModelInput& input);

/// Outputs "reconstruction" and "target", and the metadata.
Model finish_autoencoder(Builder& builder, const ModelOptions& options);

}  // namespace coppice::graph
