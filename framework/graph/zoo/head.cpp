#include "graph/zoo/head.h"

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::graph {

Builder start_network(const ModelInput& input, uint64_t seed) {
  return {input.dtype, input.sample_shape, core::Rng(seed).split("weights")};
}

void require_image(const ModelOptions& options, const ModelInput& input) {
  if (input.sample_shape.size() != 3) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("model '{}' takes images [channels, height, width], samples are {}; use 'mlp'",
                    options.name,
                    to_string(input.sample_shape)));
  }
}

Model finish_network(Builder& builder,
                     const std::string& features,
                     const ModelOptions& options,
                     const ModelInput& input) {
  std::string x = features;
  if (options.dropout > 0) {
    x = builder.dropout(x, options.dropout);
  }
  x = builder.gemm(x, std::ssize(input.class_names), true, "logits");
  Model model = builder.build({x});
  model.metadata.name = options.name;
  model.metadata.class_names = input.class_names;
  return model;
}

}  // namespace coppice::graph
