#include <algorithm>

#include "runtime/onednn/match.h"

namespace coppice::runtime::onednn {

namespace {

using graph::DType;
using graph::Node;
using graph::Op;
using graph::Tensor;

bool is_float_activation(const ModelIndex& index, const std::string& name) {
  const Node* node = index.node(name);
  return node != nullptr && !index.is_constant(name) && node->dtype == DType::F32;
}

/// Add, Sub, Mul and Div as oneDNN's binary primitive takes them.
std::optional<Stage> match_arithmetic(ModelIndex& index, const Node& node) {
  Arithmetic arithmetic;
  arithmetic.op = node.op;
  const std::string& a = node.inputs[0];
  const std::string& b = node.inputs[1];
  if (is_float_activation(index, a) && is_float_activation(index, b)) {
    if (index.node(a)->shape != node.shape || index.node(b)->shape != node.shape) {
      return std::nullopt;
    }
    return stage_of(node, {a, b}, arithmetic);
  }
  // The primitive spreads its right operand only; where order doesn't matter it takes a left
  // constant, too.
  const bool commutative = node.op == Op::Add || node.op == Op::Mul;
  arithmetic.swapped = index.is_constant(a);
  const std::string& x = arithmetic.swapped ? b : a;
  const std::string& constant = arithmetic.swapped ? a : b;
  if (!is_float_activation(index, x) || !index.is_constant(constant) ||
      (arithmetic.swapped && !commutative) || index.node(x)->shape != node.shape) {
    return std::nullopt;
  }
  arithmetic.constant = index.constant(constant);
  return stage_of(node, {x}, arithmetic);
}

/// One slope, or one per channel.
std::optional<Stage> match_slope(ModelIndex& index, const Node& node) {
  const Tensor& slope = index.constant(node.inputs[1]);
  const graph::Shape& shape = slope.shape();
  const size_t rank = node.shape.size();
  const bool per_channel = shape.size() + 1 >= rank && slope.size() == node.shape[1] &&
                           shape[shape.size() - (rank - 1)] == slope.size();
  if (slope.size() != 1 && !per_channel) {
    return std::nullopt;
  }
  return stage_of(node, {node.inputs[0]}, Slope{slope});
}

std::optional<Stage> match_deconvolution(ModelIndex& index, const Node& node) {
  if (!is_float_activation(index, node.inputs[0]) || !index.is_constant(node.inputs[1]) ||
      (node.inputs.size() > 2 && !index.is_constant(node.inputs[2]))) {
    return std::nullopt;
  }
  Deconvolution result{
      node.as<graph::ConvTransposeAttributes>(), index.constant(node.inputs[1]), {}};
  if (node.inputs.size() > 2) {
    const auto bias = index.constant(node.inputs[2]).data<float>();
    result.bias.assign(bias.begin(), bias.end());
  }
  return stage_of(node, {node.inputs[0]}, std::move(result));
}

std::optional<Stage> match_recurrent(ModelIndex& index, const Node& node) {
  if (!is_float_activation(index, node.inputs[0]) ||
      !std::all_of(node.inputs.begin() + 1, node.inputs.end(), [&](const std::string& name) {
        return index.is_constant(name);
      })) {
    return std::nullopt;
  }
  Recurrent result;
  result.is_lstm = node.op == Op::Lstm;
  result.reverse = node.as<graph::RecurrentAttributes>().reverse;
  result.weight = index.constant(node.inputs[1]);
  result.recurrent = index.constant(node.inputs[2]);
  if (node.inputs.size() > 3) {
    result.bias = index.constant(node.inputs[3]);
  }
  return stage_of(node, {node.inputs[0]}, std::move(result));
}

Stage plain(ModelIndex& index, const Node& node) {
  Plain plain{node, {}};
  std::vector<std::string> inputs;
  for (const std::string& name : node.inputs) {
    const bool constant = index.is_constant(name);
    plain.constants.push_back(constant ? index.constant(name) : Tensor());
    if (!constant) {
      inputs.push_back(name);
    }
  }
  return stage_of(node, std::move(inputs), std::move(plain));
}

}  // namespace

std::optional<Stage> match_single_op(ModelIndex& index, const Node& node) {
  switch (node.op) {
    case Op::Flatten:
    case Op::Dropout:
      return stage_of(node, node.inputs, Alias{});
    case Op::Relu:
      return stage_of(node, node.inputs, Rectify{});
    case Op::LeakyRelu:
      return stage_of(node,
                      node.inputs,
                      Curve{CurveKind::LeakyRelu, node.as<graph::LeakyReluAttributes>().slope, 0});
    case Op::Clip: {
      const auto& [low, high] = node.as<graph::ClipAttributes>();
      return stage_of(node, node.inputs, Curve{CurveKind::Clip, low, high});
    }
    case Op::Sigmoid:
      return stage_of(node, node.inputs, Curve{CurveKind::Sigmoid, 0, 0});
    case Op::Tanh:
      return stage_of(node, node.inputs, Curve{CurveKind::Tanh, 0, 0});
    case Op::HardSwish:
      return stage_of(node, node.inputs, Curve{CurveKind::HardSwish, 0, 0});
    case Op::PRelu:
      if (std::optional<Stage> stage = match_slope(index, node)) {
        return stage;
      }
      break;
    case Op::Resize: {
      const auto& resize = node.as<graph::ResizeAttributes>();
      const bool linear = resize.mode == graph::ResizeMode::Linear;
      if (linear || (resize.mode == graph::ResizeMode::Nearest && resize.size.empty())) {
        return stage_of(node, node.inputs, Enlarge{linear});
      }
      break;
    }
    case Op::ConvTranspose:
      if (std::optional<Stage> stage = match_deconvolution(index, node)) {
        return stage;
      }
      break;
    case Op::Lstm:
    case Op::Gru:
      if (std::optional<Stage> stage = match_recurrent(index, node)) {
        return stage;
      }
      break;
    case Op::LayerNorm:
      return stage_of(node,
                      {node.inputs[0]},
                      LayerNorm{node.as<graph::LayerNormAttributes>().epsilon,
                                index.constant(node.inputs[1]),
                                index.constant(node.inputs[2])});
    case Op::Softmax:
      return stage_of(node, node.inputs, Softmax{node.as<graph::AxisAttributes>().axis});
    case Op::Transpose:
      return stage_of(node, node.inputs, Transpose{node.as<graph::TransposeAttributes>().order});
    case Op::MaxPool:
      if (node.dtype != DType::F32) {
        return stage_of(node, node.inputs, ByteMaxPool{node.as<graph::PoolAttributes>()});
      }
      [[fallthrough]];
    case Op::AveragePool:
      return stage_of(
          node, node.inputs, Pool{node.op == Op::MaxPool, node.as<graph::PoolAttributes>()});
    case Op::GlobalAveragePool: {
      const graph::Shape& x = index.node(node.inputs[0])->shape;
      return stage_of(node, node.inputs, Pool{false, {{x[2], x[3]}, {1, 1}, {0, 0, 0, 0}}});
    }
    case Op::Add:
    case Op::Sub:
    case Op::Mul:
    case Op::Div:
      if (auto stage = match_arithmetic(index, node)) {
        return stage;
      }
      break;
    default:
      break;
  }
  return plain(index, node);
}

}  // namespace coppice::runtime::onednn
