// Apart from the tests because ONNX's checker defines macros that clash with names of ours.
#include "graph/onnx_oracle.h"

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

namespace coppice::graph::testing {

std::string complaint_of_onnx(std::string_view model) {
  onnx::ModelProto proto;
  if (!proto.ParseFromArray(model.data(), static_cast<int>(model.size()))) {
    return "does not parse";
  }
  try {
    onnx::checker::check_model(proto);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

std::map<std::string, std::vector<int64_t>> shapes_of_onnx(std::string_view model) {
  onnx::ModelProto proto;
  if (!proto.ParseFromArray(model.data(), static_cast<int>(model.size()))) {
    return {};
  }
  proto.mutable_graph()->clear_value_info();
  onnx::shape_inference::InferShapes(proto);
  std::map<std::string, std::vector<int64_t>> result;
  for (const auto& value : proto.graph().value_info()) {
    auto& shape = result[value.name()];
    for (const auto& dimension : value.type().tensor_type().shape().dim()) {
      shape.push_back(dimension.has_dim_value() ? dimension.dim_value() : -1);
    }
  }
  return result;
}

}  // namespace coppice::graph::testing
