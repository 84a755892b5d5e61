#include "train/trained_weights.h"

#include <set>

namespace coppice::train {

using graph::Node;
using graph::Op;

std::vector<TrainedWeight> trained_weights(const graph::Model& model) {
  std::vector<TrainedWeight> result;
  std::set<std::string> seen;
  const auto add = [&](const Node& node, size_t input, ParameterKind kind) {
    if (input >= node.inputs.size()) {
      return;
    }
    const std::string& name = node.inputs[input];
    const bool trainable = model.is_weight(name) && model.weight(name).dtype() == graph::DType::F32;
    if (trainable && seen.insert(name).second) {
      result.push_back({name, kind});
    }
  };
  for (const Node& node : model.graph.nodes) {
    switch (node.op) {
      case Op::Conv:
      case Op::ConvTranspose:
      case Op::Gemm:
        add(node, 1, ParameterKind::Weight);
        add(node, 2, ParameterKind::Bias);
        break;
      case Op::MatMul:
        add(node, 1, ParameterKind::Weight);
        break;
      case Op::Lstm:
      case Op::Gru:
        add(node, 1, ParameterKind::Weight);
        add(node, 2, ParameterKind::Weight);
        add(node, 3, ParameterKind::Bias);
        break;
      case Op::BatchNorm:
      case Op::LayerNorm:
        add(node, 1, ParameterKind::NormScale);
        add(node, 2, ParameterKind::NormShift);
        break;
      case Op::PRelu:
        add(node, 1, ParameterKind::Bias);
        break;
      case Op::Add:  // the bias of a linear layer over time
        for (const size_t side : {size_t{0}, size_t{1}}) {
          const Node* other = model.graph.find(node.inputs[1 - side]);
          if (other != nullptr && other->op == Op::MatMul) {
            add(node, side, ParameterKind::Bias);
          }
        }
        break;
      default:
        break;
    }
  }
  return result;
}

}  // namespace coppice::train
