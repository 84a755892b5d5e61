#include "graph/zoo/head.h"

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::graph {

namespace {

[[noreturn]] void refuse_input(const ModelOptions& options, std::string_view why) {
  throw core::Error(core::ErrorKind::InvalidArgument,
                    fmt::format("model '{}' {}", options.name, why));
}

std::string append_head(Builder& builder,
                        const std::string& features,
                        const ModelOptions& options,
                        const ModelInput& input) {
  switch (options.head) {
    case Head::Classifier:
      if (input.class_names.empty()) {
        refuse_input(options,
                     "has a classifier and the data names no classes; a regressor has the head "
                     "'regressor'");
      }
      return builder.gemm(features, std::ssize(input.class_names), true, "logits");
    case Head::Regressor:
      if (input.outputs < 1) {
        refuse_input(options, "has a regressor and the data has no values to predict");
      }
      return builder.gemm(features, input.outputs, true, "prediction");
    case Head::None:
      break;
  }
  return features;
}

std::string_view task_of(Head head) {
  switch (head) {
    case Head::Classifier:
      return "classification";
    case Head::Regressor:
      return "regression";
    case Head::None:
      break;
  }
  return "features";
}

}  // namespace

Builder start_network(const ModelInput& input, uint64_t seed) {
  return {input.dtype, input.sample_shape, core::Rng(seed).split("weights")};
}

void require_image(const ModelOptions& options, const ModelInput& input) {
  if (input.sample_shape.size() != 3) {
    refuse_input(options,
                 fmt::format("takes images [channels, height, width], samples are {}; use 'mlp', "
                             "or 'cnn1d' for [channels, time]",
                             to_string(input.sample_shape)));
  }
}

void require_series(const ModelOptions& options, const ModelInput& input) {
  if (input.sample_shape.size() != 2) {
    refuse_input(options,
                 fmt::format("takes windows [channels, time], samples are {}; use 'cnn' for images",
                             to_string(input.sample_shape)));
  }
}

std::string flat_input(Builder& builder, const ModelInput& input) {
  const std::string x = builder.normalise(builder.input(), input.mean, input.std);
  return builder.shape(x).size() > 2 ? builder.flatten(x) : x;
}

std::string series_input(Builder& builder, const ModelInput& input) {
  const std::string x = builder.normalise(builder.input(), input.mean, input.std);
  return builder.reshape(x, {input.sample_shape[0], 1, input.sample_shape[1]});
}

Model finish_network(Builder& builder,
                     const std::string& features,
                     const ModelOptions& options,
                     const ModelInput& input) {
  const bool drops = options.dropout > 0;
  return finish_with_head(
      builder, drops ? builder.dropout(features, options.dropout) : features, options, input);
}

Model finish_with_head(Builder& builder,
                       const std::string& features,
                       const ModelOptions& options,
                       const ModelInput& input) {
  Model model = builder.build({append_head(builder, features, options, input)});
  model.metadata.name = options.name;
  model.metadata.task = task_of(options.head);
  if (options.head == Head::Classifier) {
    model.metadata.class_names = input.class_names;
  }
  return model;
}

Model finish_autoencoder(Builder& builder, const ModelOptions& options) {
  Model model = builder.build({"reconstruction", "target"});
  model.metadata.name = options.name;
  model.metadata.task = "reconstruction";
  return model;
}

}  // namespace coppice::graph
