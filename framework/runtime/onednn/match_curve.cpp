#include <cmath>

#include "runtime/onednn/match.h"

namespace coppice::runtime::onednn {

namespace {

using graph::DType;
using graph::Node;
using graph::Op;

/// The value of a constant that is one number.
std::optional<float> number(ModelIndex& index, const std::string& name) {
  if (!index.is_constant(name) || index.constant(name).size() != 1 ||
      index.constant(name).dtype() != DType::F32) {
    return std::nullopt;
  }
  return index.constant(name).data<float>()[0];
}

bool is_close(std::optional<float> value, double expected) {
  return value && std::abs(double{*value} - expected) < 1e-6;
}

/// The other operand of an op that nobody else reads, where one is this number.
const std::string* operand_beside(ModelIndex& index, const Node* node, Op op, double value) {
  if (node == nullptr || node->op != op) {
    return nullptr;
  }
  for (const size_t side : {size_t{0}, size_t{1}}) {
    if (is_close(number(index, node->inputs[side]), value)) {
      return &node->inputs[1 - side];
    }
  }
  return nullptr;
}

/// Whether `name` is erf(x / sqrt(2)) + 1 and nobody else reads a part of it.
bool is_gelu_gate(ModelIndex& index, const std::string& name, const std::string& x) {
  const std::string* sum = operand_beside(index, index.private_node(name), Op::Add, 1);
  const Node* erf = sum == nullptr ? nullptr : index.private_node(*sum);
  if (erf == nullptr || erf->op != Op::Erf) {
    return false;
  }
  const Node* scaled = index.private_node(erf->inputs[0]);
  if (scaled != nullptr && scaled->op == Op::Div) {
    return scaled->inputs[0] == x && is_close(number(index, scaled->inputs[1]), std::sqrt(2.0));
  }
  const std::string* source = operand_beside(index, scaled, Op::Mul, std::sqrt(0.5));
  return source != nullptr && *source == x;
}

/// x / 2 * gate in any order of its three factors.
const std::string* match_gelu(ModelIndex& index, const Node& last) {
  for (const size_t side : {size_t{0}, size_t{1}}) {
    const std::string& other = last.inputs[1 - side];
    const Node* product = index.private_node(last.inputs[side]);
    if (product == nullptr || product->op != Op::Mul) {
      continue;
    }
    for (const size_t inner : {size_t{0}, size_t{1}}) {
      const std::string& a = product->inputs[inner];
      const std::string& b = product->inputs[1 - inner];
      if (is_close(number(index, other), 0.5) && is_gelu_gate(index, b, a)) {
        return &a;
      }
      if (is_close(number(index, b), 0.5) &&
          (is_gelu_gate(index, other, a) || is_gelu_gate(index, a, other))) {
        return is_gelu_gate(index, other, a) ? &a : &other;
      }
    }
  }
  return nullptr;
}

}  // namespace

/// SiLU and GELU, which graphs have as products.
std::optional<Stage> match_curve(ModelIndex& index, const Node& last) {
  if (last.op != Op::Mul) {
    return std::nullopt;
  }
  for (const size_t side : {size_t{0}, size_t{1}}) {
    const std::string& x = last.inputs[1 - side];
    const Node* gate = index.private_node(last.inputs[side]);
    if (gate != nullptr && gate->op == Op::Sigmoid && gate->inputs[0] == x &&
        gate->dtype == DType::F32 && index.node(x) != nullptr) {
      return stage_of(last, {x}, Curve{CurveKind::Silu, 1, 0});
    }
  }
  const std::string* x = match_gelu(index, last);
  if (x == nullptr || index.node(*x) == nullptr || index.node(*x)->shape != last.shape) {
    return std::nullopt;
  }
  return stage_of(last, {*x}, Curve{CurveKind::Gelu, 0, 0});
}

/// MatMul → [Add(bias)] → [Relu].
std::optional<Stage> match_matrix_product(ModelIndex& index, const Node& last) {
  MatrixProduct product;
  const Node* node = &last;
  if (node->op == Op::Relu) {
    product.relu = true;
    node = index.private_node(node->inputs[0]);
  }
  if (node != nullptr && node->op == Op::Add) {
    const size_t side = index.is_constant(node->inputs[0]) ? 0 : 1;
    const std::string& bias = node->inputs[side];
    const int64_t columns = node->shape.back();
    if (!index.is_constant(bias) || index.constant(bias).shape() != graph::Shape{columns}) {
      return std::nullopt;
    }
    const auto values = index.constant(bias).data<float>();
    product.bias.assign(values.begin(), values.end());
    node = index.private_node(node->inputs[1 - side]);
  }
  if (node == nullptr || node->op != Op::MatMul || index.is_constant(node->inputs[0])) {
    return std::nullopt;
  }
  std::vector<std::string> inputs = node->inputs;
  if (index.is_constant(inputs[1])) {
    product.weight = index.constant(inputs[1]);
    inputs.pop_back();
  } else if (!product.bias.empty()) {
    return std::nullopt;
  }
  return stage_of(last, std::move(inputs), std::move(product));
}

}  // namespace coppice::runtime::onednn
