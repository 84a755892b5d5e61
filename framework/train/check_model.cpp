#include "train/check_model.h"

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::train {

namespace {

[[noreturn]] void refuse(std::string_view role, const std::string& why) {
  throw core::Error(core::ErrorKind::InvalidArgument,
                    fmt::format("the {} does not fit the data: {}", role, why));
}

}  // namespace

void check_model_fits(const graph::Model& model,
                      const data::Schema& schema,
                      std::string_view role) {
  const auto inputs = model.graph.inputs();
  if (inputs.size() != 1) {
    refuse(role, fmt::format("it has {} inputs instead of one", inputs.size()));
  }
  const auto& input = inputs[0]->as<graph::InputAttributes>();
  graph::Shape expected{graph::kBatch};
  expected.insert(expected.end(), schema.sample_shape.begin(), schema.sample_shape.end());
  const graph::DType dtype =
      schema.type == data::ElementType::U8 ? graph::DType::U8 : graph::DType::F32;
  if (input.shape != expected || input.dtype != dtype) {
    refuse(role,
           fmt::format("it takes {}{}, samples are {}{}",
                       graph::to_string(input.dtype),
                       graph::to_string(input.shape),
                       graph::to_string(dtype),
                       graph::to_string(expected)));
  }
  const graph::Node& output = model.graph.at(model.graph.outputs.front());
  const auto classes = static_cast<int64_t>(schema.class_names.size());
  if (output.shape != graph::Shape{graph::kBatch, classes}) {
    refuse(role,
           fmt::format("its output '{}' is {}, the data has {} classes",
                       output.name,
                       graph::to_string(output.shape),
                       classes));
  }
  if (!model.metadata.class_names.empty() && model.metadata.class_names != schema.class_names) {
    refuse(role, "its classes have other names or another order");
  }
}

}  // namespace coppice::train
