#include "train/check_model.h"

#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"
#include "train/sample_tensor.h"

namespace coppice::train {

namespace {

[[noreturn]] void refuse(std::string_view role, const std::string& why) {
  throw core::Error(core::ErrorKind::InvalidArgument,
                    fmt::format("the {} does not fit the data: {}", role, why));
}

/// Per sample.
int64_t elements_of(const graph::Shape& shape) {
  return std::accumulate(shape.begin() + 1, shape.end(), int64_t{1}, std::multiplies<>());
}

void check_output(const graph::Model& model, const data::Schema& schema, std::string_view role) {
  const graph::Node& output = model.graph.at(model.graph.outputs.front());
  const std::string& task = model.metadata.task;
  if (task == "reconstruction") {
    if (elements_of(output.shape) != schema.sample_elements()) {
      refuse(role,
             fmt::format("its output '{}' is {}, but it reconstructs samples of {} values",
                         output.name,
                         graph::to_string(output.shape),
                         schema.sample_elements()));
    }
    return;
  }
  if (task != schema.task) {
    refuse(role, fmt::format("it is for {}, the data for {}", task, schema.task));
  }
  const bool regression = task == "regression";
  const auto wanted =
      static_cast<int64_t>(regression ? schema.target_names.size() : schema.class_names.size());
  if (output.shape != graph::Shape{graph::kBatch, wanted}) {
    refuse(role,
           fmt::format("its output '{}' is {}, the data has {} {}",
                       output.name,
                       graph::to_string(output.shape),
                       wanted,
                       regression ? "targets" : "classes"));
  }
  if (!regression && !model.metadata.class_names.empty() &&
      model.metadata.class_names != schema.class_names) {
    refuse(role, "its classes have other names or another order");
  }
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
  const graph::DType dtype = input_dtype(schema);
  if (input.shape != expected || input.dtype != dtype) {
    refuse(role,
           fmt::format("it takes {}{}, samples are {}{}",
                       graph::to_string(input.dtype),
                       graph::to_string(input.shape),
                       graph::to_string(dtype),
                       graph::to_string(expected)));
  }
  check_output(model, schema, role);
}

}  // namespace coppice::train
