#include <utility>

#include "graph/shapes/rules.h"

namespace coppice::graph {

namespace {

ValueType apply_rule(const Node& node, Operands in) {
  switch (node.op) {
    case Op::Input:
      return infer_input(node, in);
    case Op::Cast:
      return infer_cast(node, in);
    case Op::Add:
    case Op::Sub:
    case Op::Mul:
    case Op::Div:
      return infer_binary(node, in);
    case Op::Conv:
      return infer_conv(node, in);
    case Op::ConvTranspose:
      return infer_conv_transpose(node, in);
    case Op::Gemm:
      return infer_gemm(node, in);
    case Op::MatMul:
      return infer_matmul(node, in);
    case Op::BatchNorm:
      return infer_batch_norm(node, in);
    case Op::LayerNorm:
      return infer_layer_norm(node, in);
    case Op::PRelu:
      return infer_prelu(node, in);
    case Op::Relu:
    case Op::LeakyRelu:
    case Op::Clip:
    case Op::Sigmoid:
    case Op::Tanh:
    case Op::HardSwish:
    case Op::Erf:
    case Op::Dropout:
      return infer_unary(node, in);
    case Op::MaxPool:
    case Op::AveragePool:
      return infer_pool(node, in);
    case Op::GlobalAveragePool:
      return infer_global_pool(node, in);
    case Op::ReduceMean:
      return infer_reduce(node, in);
    case Op::Resize:
      return infer_resize(node, in);
    case Op::Pad:
      return infer_pad(node, in);
    case Op::Flatten:
      return infer_flatten(node, in);
    case Op::Reshape:
      return infer_reshape(node, in);
    case Op::Transpose:
      return infer_transpose(node, in);
    case Op::Slice:
      return infer_slice(node, in);
    case Op::Concat:
      return infer_concat(node, in);
    case Op::Softmax:
      return infer_softmax(node, in);
    case Op::Lstm:
    case Op::Gru:
      return infer_recurrent(node, in);
    case Op::QuantizeLinear:
      return infer_quantize(node, in);
    case Op::DequantizeLinear:
      return infer_dequantize(node, in);
  }
  COPPICE_CHECK(false, "op outside its enum");
}

/// Every dimension is positive but the batch, which comes first, and a sample is small enough to
/// count.
void check_result(const Node& node, const Shape& shape) {
  if (shape.size() > kMostDimensions) {
    fail(node, "output of {} dimensions, at most {}", shape.size(), kMostDimensions);
  }
  int64_t count = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i == 0 && shape[i] == kBatch) {
      continue;
    }
    if (shape[i] <= 0) {
      fail(node, "output shape {} has an empty dimension", to_string(shape));
    }
    if (shape[i] > kLargestSample / count) {
      fail(node, "output shape {} is too large", to_string(shape));
    }
    count *= shape[i];
  }
}

}  // namespace

void Scope::define(const Node& node) {
  if (node.name.empty()) {
    fail(node, "a node needs a name");
  }
  if (weights_.contains(node.name)) {
    fail(node, "a weight has the same name");
  }
  if (!nodes_.emplace(node.name, &node).second) {
    fail(node, "another node has the same name");
  }
}

const Node* Scope::find(std::string_view name) const {
  const auto it = nodes_.find(name);
  return it == nodes_.end() ? nullptr : it->second;
}

std::vector<Operand> Scope::operands(const Node& node) const {
  std::vector<Operand> result;
  result.reserve(node.inputs.size());
  for (const std::string& name : node.inputs) {
    if (const Node* source = find(name)) {
      result.push_back({source->dtype, source->shape, nullptr});
    } else if (const auto it = weights_.find(name); it != weights_.end()) {
      result.push_back({it->second.dtype(), it->second.shape(), &it->second});
    } else {
      fail(node, "input '{}' is neither a weight nor a node before it", name);
    }
  }
  return result;
}

ValueType infer_node(const Node& node, Operands in) {
  const OpInfo& op = info(node.op);
  if (std::cmp_less(in.size(), op.least_inputs) || std::cmp_greater(in.size(), op.most_inputs)) {
    fail(node, "{} inputs, takes {} to {}", in.size(), op.least_inputs, op.most_inputs);
  }
  if (node.attributes.index() != default_attributes(node.op).index()) {
    fail(node, "attributes of another op");
  }
  ValueType result = apply_rule(node, in);
  check_result(node, result.shape);
  return result;
}

void require_activation(const Node& node, Operands in, size_t i, size_t rank) {
  const Operand& x = in[i];
  if (!x.is_batched() || x.shape.size() < 2) {
    fail(node,
         "input '{}' of shape {} is no activation: the batch must come first",
         node.inputs[i],
         to_string(x.shape));
  }
  if (x.dtype != DType::F32) {
    fail(node, "input '{}' is {}, must be f32", node.inputs[i], to_string(x.dtype));
  }
  if (rank > 0 && x.shape.size() != rank) {
    fail(node,
         "input '{}' of shape {} must have {} dimensions",
         node.inputs[i],
         to_string(x.shape),
         rank);
  }
}

void infer_shapes(Model& model) {
  Scope scope(model.weights);
  for (Node& node : model.graph.nodes) {
    ValueType type = infer_node(node, scope.operands(node));
    node.dtype = type.dtype;
    node.shape = std::move(type.shape);
    scope.define(node);
  }
}

}  // namespace coppice::graph
