#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

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
constexpr int64_t kOldestExport = 13;
constexpr int64_t kNewestExport = 17;  // 18 makes the axes of ReduceMean an input
constexpr int64_t kHardSwishOpset = 14;
constexpr int64_t kLayerNormOpset = 17;

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

  void operator()(const ResizeAttributes& a) const {
    const bool nearest = a.mode == ResizeMode::Nearest;
    add_text(proto,
             "coordinate_transformation_mode",
             nearest                        ? "asymmetric"
             : a.mode == ResizeMode::Linear ? "half_pixel"
                                            : "align_corners");
    add_text(proto, "mode", nearest ? "nearest" : "linear");
    if (nearest) {
      add_text(proto, "nearest_mode", "floor");
    }
  }

  void operator()(const TransposeAttributes& a) const { add_ints(proto, "perm", a.order); }

  void operator()(const PadAttributes& a) const {
    add_text(proto,
             "mode",
             a.mode == PadMode::Constant  ? "constant"
             : a.mode == PadMode::Reflect ? "reflect"
                                          : "edge");
  }

  void operator()(const ReduceAttributes& a) const {
    add_ints(proto, "axes", a.axes);
    add_int(proto, "keepdims", 1);
  }

  void operator()(const LayerNormAttributes& a) const {
    add_int(proto, "axis", a.axis);
    add_float(proto, "epsilon", a.epsilon);
  }

  void operator()(const RecurrentAttributes& a) const {
    add_text(proto, "direction", a.reverse ? "reverse" : "forward");
  }

  void operator()(const ConvTransposeAttributes& a) const {
    add_ints(proto, "dilations", a.dilation);
    add_int(proto, "group", a.groups);
    add_ints(proto, "kernel_shape", a.kernel);
    add_ints(proto, "output_padding", a.output_padding);
    add_ints(proto, "pads", a.pads);
    add_ints(proto, "strides", a.stride);
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

  void operator()(const PadAttributes& a) const {
    add("pads", list(a.pads));
    if (a.mode == PadMode::Constant) {
      add("value", scalar(a.value));
    }
  }

  void operator()(const ResizeAttributes& a) const {
    proto_.add_input("");  // the region of interest, which other modes want
    const Shape& x = model_.graph.at(node_.inputs[0]).shape;
    const auto scale = [&](size_t i) {
      const float factor =
          a.size.empty() ? static_cast<float>(a.scale[i]) : scale_to(x[2 + i], a.size[i]);
      if (static_cast<int64_t>(factor * static_cast<float>(x[2 + i])) != node_.shape[2 + i]) {
        throw core::Error(core::ErrorKind::Unsupported,
                          fmt::format("node '{}' (Resize) to {}: no f32 factor gives this size",
                                      node_.name,
                                      to_string(node_.shape)));
      }
      return factor;
    };
    add("scales", Tensor::from<float>({4}, std::vector<float>{1.F, 1.F, scale(0), scale(1)}));
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
    if (a.step != 1) {
      add("step", list({a.step}));
    }
  }

 private:
  static Tensor scalar(float value) { return Tensor::from<float>({}, std::vector<float>{value}); }

  /// The standard takes sizes for all dimensions or none, and the batch's is not known: a factor
  /// whose product, cut to a whole number, is the size.
  static float scale_to(int64_t from, int64_t to) {
    const auto in = static_cast<float>(from);
    float scale = static_cast<float>(to) / in;
    while (static_cast<int64_t>(scale * in) < to) {
      scale = std::nextafter(scale, std::numeric_limits<float>::infinity());
    }
    return scale;
  }

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

/// Writes nodes; what the opset has no node of its own for as several.
class NodeWriter {
 public:
  NodeWriter(const Model& model, int64_t opset, onnx::GraphProto& graph)
      : model_(model), opset_(opset), graph_(graph) {}

  void write(const Node& node) {
    if (node.op == Op::Lstm || node.op == Op::Gru) {
      write_recurrent(node);
    } else if (node.op == Op::LayerNorm && opset_ < kLayerNormOpset) {
      write_layer_norm(node);
    } else if (node.op == Op::HardSwish && opset_ < kHardSwishOpset) {
      write_hard_swish(node);
    } else {
      write_plain(node, node.inputs, node.name);
    }
  }

 private:
  onnx::NodeProto& add(const std::string& op,
                       const std::vector<std::string>& inputs,
                       const std::string& output) {
    auto& proto = *graph_.add_node();
    proto.set_name(output);
    proto.set_op_type(op);
    for (const std::string& input : inputs) {
      proto.add_input(input);
    }
    proto.add_output(output);
    return proto;
  }

  onnx::NodeProto& write_plain(const Node& node,
                               const std::vector<std::string>& inputs,
                               const std::string& output) {
    auto& proto = add(std::string(info(node.op).onnx_name), inputs, output);
    std::visit(AttributeWriter{proto}, node.attributes);
    std::visit(ParameterWriter(model_, node, proto, graph_), node.attributes);
    if (node.op == Op::Gemm) {
      add_int(proto, "transB", 1);
    } else if (node.op == Op::Flatten) {
      add_int(proto, "axis", 1);
    }
    return proto;
  }

  std::string inner(const Node& node, std::string_view what) const {
    return free_name(model_, fmt::format("{}.{}", node.name, what));
  }

  std::string constant(const Node& node, std::string_view what, const Tensor& value) {
    std::string name = inner(node, what);
    *graph_.add_initializer() = to_onnx_tensor(name, value);
    return name;
  }

  static Tensor scalar(float value) { return Tensor::from<float>({}, std::vector<float>{value}); }

  /// The standard has time before the batch, and a dimension for directions between them.
  void write_recurrent(const Node& node) {
    std::vector<std::string> inputs = node.inputs;
    inputs[0] = inner(node, "steps");
    add_ints(add("Transpose", {node.inputs[0]}, inputs[0]), "perm", {1, 0, 2});
    const std::string all = inner(node, "directions");
    auto& proto = write_plain(node, inputs, all);
    add_int(proto, "hidden_size", node.shape[2]);
    if (node.op == Op::Gru) {
      add_int(proto, "linear_before_reset", 1);
    }
    const std::string one = inner(node, "direction");
    const Tensor axis = Tensor::from<int64_t>({1}, std::vector<int64_t>{1});
    add("Squeeze", {all, constant(node, "axis", axis)}, one);
    add_ints(add("Transpose", {one}, node.name), "perm", {1, 0, 2});
  }

  /// As PyTorch writes it, and as fuse_patterns recognises it.
  void write_layer_norm(const Node& node) {
    const auto& [axis, epsilon] = node.as<LayerNormAttributes>();
    Shape axes(node.shape.size() - static_cast<size_t>(axis));
    std::iota(axes.begin(), axes.end(), axis);
    const std::string& x = node.inputs[0];
    const std::string mean = inner(node, "mean");
    const std::string centred = inner(node, "centred");
    const std::string squares = inner(node, "squares");
    const std::string variance = inner(node, "variance");
    const std::string positive = inner(node, "positive");
    const std::string deviation = inner(node, "deviation");
    const std::string normalised = inner(node, "normalised");
    const std::string scaled = inner(node, "scaled");
    add_ints(add("ReduceMean", {x}, mean), "axes", axes);
    add("Sub", {x, mean}, centred);
    add("Pow", {centred, constant(node, "exponent", scalar(2))}, squares);
    add_ints(add("ReduceMean", {squares}, variance), "axes", axes);
    add("Add", {variance, constant(node, "epsilon", scalar(epsilon))}, positive);
    add("Sqrt", {positive}, deviation);
    add("Div", {centred, deviation}, normalised);
    add("Mul", {normalised, node.inputs[1]}, scaled);
    add("Add", {scaled, node.inputs[2]}, node.name);
  }

  void write_hard_swish(const Node& node) {
    const std::string gate = inner(node, "gate");
    add_float(add("HardSigmoid", {node.inputs[0]}, gate), "alpha", 1.F / 6);
    add("Mul", {node.inputs[0], gate}, node.name);
  }

  const Model& model_;
  int64_t opset_;
  onnx::GraphProto& graph_;
};

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

void write_graph(const Model& model, int64_t opset, onnx::GraphProto& graph) {
  NodeWriter writer(model, opset, graph);
  graph.set_name(model.metadata.name.empty() ? "model" : model.metadata.name);
  for (const auto& [name, tensor] : model.weights) {
    *graph.add_initializer() = to_onnx_tensor(name, tensor);
  }
  for (const Node& node : model.graph.nodes) {
    if (node.op == Op::Input) {
      write_value(node, *graph.add_input());
      continue;
    }
    writer.write(node);
    if (!is_output(model.graph, node.name)) {
      write_value(node, *graph.add_value_info());
    }
  }
  for (const std::string& output : model.graph.outputs) {
    write_value(model.graph.at(output), *graph.add_output());
  }
}

int64_t smallest_opset(const Model& model) {
  int64_t opset = kOldestExport;
  for (const Node& node : model.graph.nodes) {
    opset = std::max(opset,
                     node.op == Op::LayerNorm   ? kLayerNormOpset
                     : node.op == Op::HardSwish ? kHardSwishOpset
                                                : kOldestExport);
  }
  return opset;
}

}  // namespace

core::Bytes to_onnx(const Model& model, int64_t opset) {
  verify(model);
  if (opset != kSmallestOpset && (opset < kOldestExport || opset > kNewestExport)) {
    throw core::Error(
        core::ErrorKind::Unsupported,
        fmt::format(
            "export to ONNX opset {}; supported: {} to {}", opset, kOldestExport, kNewestExport));
  }
  opset = opset == kSmallestOpset ? smallest_opset(model) : opset;
  onnx::ModelProto proto;
  proto.set_ir_version(kIrVersion);
  proto.set_producer_name("coppice");
  auto* imported = proto.add_opset_import();
  imported->set_domain("");
  imported->set_version(opset);
  write_graph(model, opset, *proto.mutable_graph());
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

void save_onnx(const Model& model, const std::filesystem::path& file, int64_t opset) {
  core::write_file(file, to_onnx(model, opset));
}

}  // namespace coppice::graph
