#include "graph/onnx/reader.h"

#include <algorithm>
#include <utility>

#include "graph/onnx/tensor_proto.h"

namespace coppice::graph {

namespace {

[[noreturn]] void corrupt(const std::string& message) {
  throw core::Error(core::ErrorKind::Corrupt, "ONNX graph: " + message);
}

}  // namespace

std::string describe(const onnx::NodeProto& node) {
  const std::string& name = node.output_size() > 0 ? node.output(0) : node.name();
  return fmt::format("ONNX node '{}' ({})", name, node.op_type());
}

void corrupt_node(const onnx::NodeProto& node, const std::string& why) {
  throw core::Error(core::ErrorKind::Corrupt, fmt::format("{}: {}", describe(node), why));
}

void unsupported_node(const onnx::NodeProto& node, const std::string& why) {
  throw core::Error(core::ErrorKind::Unsupported, fmt::format("{}: {}", describe(node), why));
}

OnnxReader::OnnxReader(const onnx::GraphProto& graph,
                       int64_t opset,
                       int64_t file_bytes,
                       ExternalFolder* folder)
    : graph_(graph), opset_(opset), budget_(file_bytes), folder_(folder), scope_(model_.weights) {}

Model OnnxReader::read() {
  read_initializers();
  for (const auto& node : graph_.node()) {
    file_names_.insert(node.output().begin(), node.output().end());
  }
  for (const auto& input : graph_.input()) {
    if (!initializers_.contains(
            input.name())) {  // files before IR version 4 list weights as inputs
      read_input(input);
    }
  }
  for (const auto& node : graph_.node()) {
    read_onnx_node(*this, node);
  }
  read_outputs();
  for (Node& node : nodes_) {
    model_.graph.nodes.push_back(std::move(node));
  }
  give_final_names();
  return std::move(model_);
}

void OnnxReader::give_final_names() {
  const auto rename = [&](std::string& name) {
    if (const auto it = final_names_.find(name); it != final_names_.end()) {
      name = it->second;
    }
  };
  for (Node& node : model_.graph.nodes) {
    rename(node.name);
    std::for_each(node.inputs.begin(), node.inputs.end(), rename);
  }
  std::for_each(model_.graph.outputs.begin(), model_.graph.outputs.end(), rename);
}

void OnnxReader::read_initializers() {
  if (graph_.sparse_initializer_size() > 0) {
    throw core::Error(core::ErrorKind::Unsupported, "ONNX graph: sparse weights; store them dense");
  }
  for (const auto& tensor : graph_.initializer()) {
    if (tensor.name().empty() || !initializers_.emplace(tensor.name(), &tensor).second) {
      corrupt(fmt::format("weight '{}' has no name of its own", tensor.name()));
    }
    require_plain(tensor.name());
  }
}

void OnnxReader::read_input(const onnx::ValueInfoProto& input) {
  const auto& type = input.type().tensor_type();
  const auto refuse = [&](std::string_view why) {
    throw core::Error(core::ErrorKind::Unsupported,
                      fmt::format("ONNX input '{}' {}", input.name(), why));
  };
  if (!input.type().has_tensor_type() || !type.has_shape() || type.shape().dim_size() < 2) {
    refuse("must be a tensor of known shape with the batch first");
  }
  InputAttributes attributes;
  attributes.dtype =
      from_onnx_dtype(type.elem_type(), fmt::format("ONNX input '{}'", input.name()));
  for (const auto& dimension : type.shape().dim()) {
    if (attributes.shape.empty()) {
      attributes.shape.push_back(kBatch);
      if (dimension.has_dim_value()) {
        if (dimension.dim_value() < 1 || dimension.dim_value() > kLargestDimension) {
          refuse("has an impossible batch");
        }
        fixed_batch_ = dimension.dim_value();
      }
    } else if (!dimension.has_dim_value() || dimension.dim_value() <= 0) {
      refuse("has a free dimension beside the batch");
    } else {
      attributes.shape.push_back(dimension.dim_value());
    }
  }
  take_name(input.name());
  file_names_.insert(input.name());
  Node node;
  node.name = input.name();
  node.attributes = std::move(attributes);
  append(std::move(node));
}

void OnnxReader::read_outputs() {
  for (const auto& output : graph_.output()) {
    const std::string& name = resolve(output.name());
    const auto maker = view_makers_.find(name);
    model_.graph.outputs.push_back(maker == view_makers_.end() ? name
                                                               : settle(*maker->second, name));
  }
}

void OnnxReader::take_name(const std::string& name) {
  if (name.empty() || initializers_.contains(name) || constants_.contains(name) ||
      aliases_.contains(name) || views_.contains(name) || filled_.contains(name) ||
      scope_.find(name) != nullptr) {
    corrupt(fmt::format("name '{}' is missing or used twice", name));
  }
  require_plain(name);
}

/// Names end up in logs, reports and error messages.
void OnnxReader::require_plain(const std::string& name) {
  const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  if (!plain) {
    corrupt(fmt::format("name '{}' holds control characters", name));
  }
}

const std::string& OnnxReader::resolve(const std::string& name) const {
  const auto it = aliases_.find(name);
  return it == aliases_.end() ? name : it->second;  // an alias names its final target
}

const Tensor* OnnxReader::find_constant(const std::string& name) {
  if (const auto it = constants_.find(name); it != constants_.end()) {
    return &it->second;
  }
  if (const auto it = initializers_.find(name); it != initializers_.end()) {
    Tensor tensor = from_onnx_tensor(*it->second, name, folder_);
    budget_.add_file(is_external(*it->second) ? tensor.bytes_size() : 0);
    return &constants_.emplace(name, std::move(tensor)).first->second;
  }
  return nullptr;
}

std::string OnnxReader::use(const onnx::NodeProto& node, int i) {
  if (i >= node.input_size() || node.input(i).empty()) {
    return "";
  }
  const std::string name = settle(node, resolve(node.input(i)));
  if (scope_.find(name) == nullptr) {
    if (filled_.contains(name)) {
      unsupported_node(node, fmt::format("input '{}' is a constant as long as the batch", name));
    }
    const Tensor* tensor = find_constant(name);
    if (tensor == nullptr) {
      corrupt_node(node, fmt::format("input '{}' is neither a weight nor made before it", name));
    }
    model_.weights.emplace(name, *tensor);
  }
  return name;
}

const Tensor& OnnxReader::constant(const onnx::NodeProto& node, int i) {
  const std::string name = i < node.input_size() ? resolve(node.input(i)) : std::string();
  const Tensor* tensor = find_constant(name);
  if (tensor == nullptr) {
    unsupported_node(node, fmt::format("input {} ('{}') must be a constant", i, name));
  }
  return *tensor;
}

const Tensor* OnnxReader::find_constant(const onnx::NodeProto& node, int i) {
  return has(node, i) ? find_constant(resolve(node.input(i))) : nullptr;
}

const Shape& OnnxReader::shape(const onnx::NodeProto& node, int i) {
  const std::string name =
      i < node.input_size() ? settle(node, resolve(node.input(i))) : std::string();
  if (const Node* source = scope_.find(name)) {
    return source->shape;
  }
  return constant(node, i).shape();
}

DType OnnxReader::dtype(const onnx::NodeProto& node, int i) {
  const std::string name =
      i < node.input_size() ? settle(node, resolve(node.input(i))) : std::string();
  if (const Node* source = scope_.find(name)) {
    return source->dtype;
  }
  return constant(node, i).dtype();
}

std::string OnnxReader::alias_target(const onnx::NodeProto& node, int i) {
  std::string name = i < node.input_size() ? resolve(node.input(i)) : std::string();
  if (scope_.find(name) == nullptr && !initializers_.contains(name) && !constants_.contains(name)) {
    corrupt_node(node, fmt::format("input '{}' is neither a weight nor made before it", name));
  }
  return name;
}

void OnnxReader::add_constant(const std::string& name, Tensor tensor) {
  take_name(name);
  const Shape& shape = tensor.shape();
  if (shape.size() > kMostDimensions ||
      std::any_of(shape.begin(), shape.end(), [](int64_t d) { return d > kLargestDimension; })) {
    corrupt(fmt::format("constant '{}' of shape {} is too large", name, to_string(shape)));
  }
  constants_.emplace(name, std::move(tensor));
}

void OnnxReader::add_alias(const std::string& name, const std::string& target) {
  take_name(name);
  aliases_.emplace(name, target);
}

/// `stem` or `stem2`, `stem3`, …: counts on where it stopped, since a Split may have many parts.
std::string OnnxReader::free_name(const std::string& stem) {
  int& count = name_counts_[stem];
  while (true) {
    std::string name = ++count == 1 ? stem : fmt::format("{}{}", stem, count);
    if (!initializers_.contains(name) && !constants_.contains(name) &&
        !model_.weights.contains(name) && !file_names_.contains(name) &&
        scope_.find(name) == nullptr) {
      return name;
    }
  }
}

std::string OnnxReader::add_weight(const std::string& stem, Tensor tensor) {
  std::string name = free_name(stem);
  model_.weights.emplace(name, std::move(tensor));
  return name;
}

void OnnxReader::add_filled(const std::string& name, float value) {
  take_name(name);
  filled_.emplace(name, value);
}

bool OnnxReader::is_filled(const onnx::NodeProto& node, int i) const {
  return has(node, i) && filled_.contains(resolve(node.input(i)));
}

float OnnxReader::filled(const onnx::NodeProto& node, int i) const {
  return filled_.at(resolve(node.input(i)));
}

bool OnnxReader::is_zero(const onnx::NodeProto& node, int i) {
  if (is_filled(node, i)) {
    return filled(node, i) == 0;
  }
  const Tensor* tensor = find_constant(node, i);
  return tensor != nullptr && std::all_of(tensor->bytes(),
                                          tensor->bytes() + tensor->bytes_size(),
                                          [](std::byte b) { return b == std::byte{}; });
}

void OnnxReader::add(const onnx::NodeProto& proto,
                     Op op,
                     Attributes attributes,
                     std::vector<std::string> inputs) {
  take_name(proto.output(0));
  Node node;
  node.name = proto.output(0);
  node.op = op;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  append(std::move(node));
}

void OnnxReader::append(Node node) {
  size_t text = node.name.size();
  for (const std::string& input : node.inputs) {
    text += input.size();
  }
  if (!budget_.take(static_cast<int64_t>(text))) {
    throw core::Error(core::ErrorKind::Unsupported,
                      fmt::format("ONNX graph: the names of its nodes take more than {} MiB",
                                  budget_.limit_mib()));
  }
  ValueType type = infer_node(node, scope_.operands(node));
  node.dtype = type.dtype;
  node.shape = std::move(type.shape);
  nodes_.push_back(std::move(node));
  scope_.define(nodes_.back());
}

}  // namespace coppice::graph
