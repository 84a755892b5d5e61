#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/onnx.h"
#include "graph/onnx/dropout_remark.h"
#include "graph/onnx/metadata.h"
#include "graph/onnx/tensor_proto.h"
#include "graph/passes/rewire.h"

namespace coppice::graph {

namespace {

constexpr int64_t kIrVersion = 8;
constexpr int64_t kOpset = 13;
constexpr int64_t kHardSwishOpset = 14;

void add_ints(onnx::NodeProto& proto, const char* name, const Shape& values) {
  auto* attribute = proto.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (const int64_t value : values) {
    attribute->add_ints(value);
  }
}

void add_int(onnx::NodeProto& proto, const char* name, int64_t value) {
  auto* attribute = proto.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}

void add_float(onnx::NodeProto& proto, const char* name, float value) {
  auto* attribute = proto.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::FLOAT);
  attribute->set_f(value);
}

void add_text(onnx::NodeProto& proto, const char* name, const char* value) {
  auto* attribute = proto.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::STRING);
  attribute->set_s(value);
}

struct AttributeWriter {
  onnx::NodeProto& proto;

  void operator()(const NoAttributes&) const {}

  void operator()(const InputAttributes&) const {}

  // What the standard takes as inputs: see write_parameters.
  void operator()(const DropoutAttributes&) const {}

  void operator()(const ClipAttributes&) const {}

  void operator()(const ReshapeAttributes&) const {}

  void operator()(const SliceAttributes&) const {}

  void operator()(const LeakyReluAttributes& a) const { add_float(proto, "alpha", a.slope); }

  void operator()(const ResizeAttributes&) const {
    add_text(proto, "coordinate_transformation_mode", "asymmetric");
    add_text(proto, "mode", "nearest");
    add_text(proto, "nearest_mode", "floor");
  }

  void operator()(const CastAttributes& a) const { add_int(proto, "to", to_onnx_dtype(a.to)); }

  void operator()(const BatchNormAttributes& a) const { add_float(proto, "epsilon", a.epsilon); }

  void operator()(const AxisAttributes& a) const { add_int(proto, "axis", a.axis); }

  void operator()(const ConvAttributes& a) const {
    add_ints(proto, "dilations", a.dilation);
    add_int(proto, "group", a.groups);
    add_ints(proto, "kernel_shape", a.kernel);
    add_ints(proto, "pads", a.pads);
    add_ints(proto, "strides", a.stride);
  }

  void operator()(const PoolAttributes& a) const {
    add_ints(proto, "kernel_shape", a.kernel);
    add_ints(proto, "pads", a.pads);
    add_ints(proto, "strides", a.stride);
  }
};

/// Attributes that the standard takes as inputs.
class ParameterWriter {
 public:
  ParameterWriter(const Model& model,
                  const Node& node,
                  onnx::NodeProto& proto,
                  onnx::GraphProto& graph)
      : model_(model), node_(node), proto_(proto), graph_(graph) {}

  template <class Attributes>
  void operator()(const Attributes&) const {}

  void operator()(const DropoutAttributes& a) const {
    add("ratio", scalar(a.rate));
    if (a.grain != DropoutGrain::Value) {
      proto_.set_doc_string(dropout_remark(a.grain));
    }
  }

  void operator()(const ClipAttributes& a) const {
    add("low", scalar(a.low));
    add("high", scalar(a.high));
  }

  void operator()(const ResizeAttributes& a) const {
    proto_.add_input("");  // the region of interest, which other modes want
    add("scales",
        Tensor::from<float>(
            {4},
            std::vector<float>{
                1.F, 1.F, static_cast<float>(a.scale[0]), static_cast<float>(a.scale[1])}));
  }

  void operator()(const ReshapeAttributes& a) const {
    Shape shape = a.sample;
    shape.insert(shape.begin(), 0);  // 0: as in the input
    add("shape", list(shape));
  }

  void operator()(const SliceAttributes& a) const {
    add("start", list({a.start}));
    add("end", list({a.end}));
    add("axis", list({a.axis}));
  }

 private:
  static Tensor scalar(float value) { return Tensor::from<float>({}, std::vector<float>{value}); }

  static Tensor list(const Shape& values) {
    return Tensor::from<int64_t>({std::ssize(values)}, values);
  }

  void add(const char* what, const Tensor& tensor) const {
    const std::string name = free_name(model_, fmt::format("{}.{}", node_.name, what));
    *graph_.add_initializer() = to_onnx_tensor(name, tensor);
    proto_.add_input(name);
  }

  const Model& model_;
  const Node& node_;
  onnx::NodeProto& proto_;
  onnx::GraphProto& graph_;
};

void write_node(const Model& model, const Node& node, onnx::GraphProto& graph) {
  auto& proto = *graph.add_node();
  proto.set_name(node.name);
  proto.set_op_type(std::string(info(node.op).onnx_name));
  for (const std::string& input : node.inputs) {
    proto.add_input(input);
  }
  proto.add_output(node.name);
  std::visit(AttributeWriter{proto}, node.attributes);
  std::visit(ParameterWriter(model, node, proto, graph), node.attributes);
  if (node.op == Op::Gemm) {
    add_int(proto, "transB", 1);
  } else if (node.op == Op::Flatten) {
    add_int(proto, "axis", 1);
  }
}

void write_value(const Node& node, onnx::ValueInfoProto& proto) {
  proto.set_name(node.name);
  auto* type = proto.mutable_type()->mutable_tensor_type();
  type->set_elem_type(to_onnx_dtype(node.dtype));
  auto* shape = type->mutable_shape();
  for (const int64_t dimension : node.shape) {
    if (dimension == kBatch) {
      shape->add_dim()->set_dim_param("batch");
    } else {
      shape->add_dim()->set_dim_value(dimension);
    }
  }
}

void write_graph(const Model& model, onnx::GraphProto& graph) {
  graph.set_name(model.metadata.name.empty() ? "model" : model.metadata.name);
  for (const auto& [name, tensor] : model.weights) {
    *graph.add_initializer() = to_onnx_tensor(name, tensor);
  }
  for (const Node& node : model.graph.nodes) {
    if (node.op == Op::Input) {
      write_value(node, *graph.add_input());
      continue;
    }
    write_node(model, node, graph);
    if (!is_output(model.graph, node.name)) {
      write_value(node, *graph.add_value_info());
    }
  }
  for (const std::string& output : model.graph.outputs) {
    write_value(model.graph.at(output), *graph.add_output());
  }
}

}  // namespace

core::Bytes to_onnx(const Model& model) {
  verify(model);
  onnx::ModelProto proto;
  proto.set_ir_version(kIrVersion);
  proto.set_producer_name("coppice");
  auto* opset = proto.add_opset_import();
  opset->set_domain("");
  const auto& nodes = model.graph.nodes;
  const bool hard_swish = std::any_of(
      nodes.begin(), nodes.end(), [](const Node& node) { return node.op == Op::HardSwish; });
  opset->set_version(hard_swish ? kHardSwishOpset : kOpset);
  write_graph(model, *proto.mutable_graph());
  write_onnx_metadata(model.metadata, proto);
  const size_t size = proto.ByteSizeLong();
  if (size > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw core::Error(
        core::ErrorKind::Unsupported,
        fmt::format(
            "model '{}' takes {} bytes, an ONNX file at most 2 GiB", model.metadata.name, size));
  }
  core::Bytes bytes(size);
  COPPICE_CHECK(proto.SerializeToArray(bytes.data(), static_cast<int>(size)), "ONNX serialisation");
  return bytes;
}

void save_onnx(const Model& model, const std::filesystem::path& file) {
  core::write_file(file, to_onnx(model));
}

}  // namespace coppice::graph
