#pragma once

#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "graph/models.h"
#include "graph/onnx.h"

namespace coppice::graph::testing {

inline constexpr auto kCorrupt = core::ErrorKind::Corrupt;
inline constexpr auto kUnsupported = core::ErrorKind::Unsupported;

/// Files as other programs write them, put together by hand: input "x" of the given sample shape.
class OnnxFile {
 public:
  explicit OnnxFile(const Shape& sample, int64_t opset = 13, int64_t batch = 0) {
    proto_.set_ir_version(8);
    proto_.add_opset_import()->set_version(opset);
    auto* input = graph().add_input();
    input->set_name("x");
    auto* type = input->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    auto* first = type->mutable_shape()->add_dim();
    if (batch > 0) {
      first->set_dim_value(batch);
    } else {
      first->set_dim_param("N");
    }
    for (const int64_t dimension : sample) {
      type->mutable_shape()->add_dim()->set_dim_value(dimension);
    }
  }

  onnx::GraphProto& graph() { return *proto_.mutable_graph(); }

  onnx::NodeProto& node(const std::string& op,
                        const std::vector<std::string>& inputs,
                        const std::string& output) {
    auto* node = graph().add_node();
    node->set_op_type(op);
    for (const std::string& input : inputs) {
      node->add_input(input);
    }
    node->add_output(output);
    return *node;
  }

  onnx::TensorProto& floats(const std::string& name,
                            const Shape& shape,
                            const std::vector<float>& values) {
    auto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.mutable_dims()->Add(shape.begin(), shape.end());
    tensor.mutable_float_data()->Add(values.begin(), values.end());
    return tensor;
  }

  std::string text(const std::string& output = "y") {
    graph().clear_output();
    graph().add_output()->set_name(output);
    return proto_.SerializeAsString();
  }

  Model load(const std::string& output = "y") { return from_onnx(core::as_bytes(text(output))); }

  std::string refusal(core::ErrorKind kind) {
    return message_of(kind, [&] { load(); });
  }

 private:
  onnx::ModelProto proto_;
};

inline void set(onnx::NodeProto& node, const char* name, int64_t value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}

inline void set(onnx::NodeProto& node, const char* name, const Shape& values) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  attribute->mutable_ints()->Add(values.begin(), values.end());
}

inline void set_text(onnx::NodeProto& node, const char* name, const std::string& value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::STRING);
  attribute->set_s(value);
}

inline void set_real(onnx::NodeProto& node, const char* name, float value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::FLOAT);
  attribute->set_f(value);
}

inline void constant_shape(OnnxFile& file, const std::string& name, const Shape& values) {
  auto& node = file.node("Constant", {}, name);
  auto* attribute = node.add_attribute();
  attribute->set_name("value");
  attribute->set_type(onnx::AttributeProto::TENSOR);
  attribute->mutable_t()->set_data_type(onnx::TensorProto::INT64);
  attribute->mutable_t()->add_dims(std::ssize(values));
  attribute->mutable_t()->mutable_int64_data()->Add(values.begin(), values.end());
}

}  // namespace coppice::graph::testing
