#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/pass.h"
#include "graph/passes/rewire.h"

namespace coppice::graph {

namespace {

/// The Conv, ConvTranspose or Gemm whose only consumer is the BN and whose weights are plain
/// values; nullptr when there is none.
Node* foldable_producer(Model& model, const Node& bn) {
  Node* producer = model.graph.find(bn.inputs[0]);
  if (producer == nullptr ||
      (producer->op != Op::Conv && producer->op != Op::ConvTranspose && producer->op != Op::Gemm)) {
    return nullptr;
  }
  const auto stored = [&](const std::string& name) {
    return model.is_weight(name);
  };
  const bool plain = std::all_of(producer->inputs.begin() + 1, producer->inputs.end(), stored) &&
                     std::all_of(bn.inputs.begin() + 1, bn.inputs.end(), stored);
  const bool alone =
      model.graph.consumers(producer->name).size() == 1 && !is_output(model.graph, producer->name);
  return plain && alone ? producer : nullptr;
}

/// y = factor * x + offset, per channel.
struct Affine {
  std::vector<double> factor;
  std::vector<double> offset;
};

Affine affine_of(const Model& model, const Node& bn) {
  const auto values = [&](size_t i) {
    return model.weight(bn.inputs[i]).data<float>();
  };
  const auto scale = values(1);
  const auto bias = values(2);
  const auto mean = values(3);
  const auto variance = values(4);
  const double epsilon = bn.as<BatchNormAttributes>().epsilon;
  Affine result;
  for (size_t c = 0; c < scale.size(); ++c) {
    const double factor = scale[c] / std::sqrt(variance[c] + epsilon);
    if (!std::isfinite(factor)) {
      throw core::Error(
          core::ErrorKind::Numeric,
          fmt::format("node '{}' (BatchNorm): channel {} has variance {} and scale {}",
                      bn.name,
                      c,
                      variance[c],
                      scale[c]));
    }
    result.factor.push_back(factor);
    result.offset.push_back(bias[c] - mean[c] * factor);
  }
  return result;
}

/// Puts a tensor where the node reads input `i`, under the same name if no other node reads that
/// weight.
void set_weight(Model& model, Node& node, size_t i, Tensor value, const std::string& stem) {
  if (i == node.inputs.size()) {
    node.inputs.push_back(free_name(model, stem));
  } else if (model.graph.consumers(node.inputs[i]).size() > 1 ||
             std::count(node.inputs.begin(), node.inputs.end(), node.inputs[i]) > 1) {
    node.inputs[i] = free_name(model, stem);
  }
  model.weights[node.inputs[i]] = std::move(value);
}

/// Multiplies what makes each output channel by its factor: rows of a Conv's or Gemm's weight; of a
/// ConvTranspose's [in, out / groups, …] the columns, group after group.
void scale_channels(const Node& producer, const std::vector<double>& factors, Tensor& weight) {
  const auto rows = static_cast<size_t>(weight.dim(0));
  size_t columns = 1;  // parts of a row that make different channels
  size_t groups = rows;
  if (producer.op == Op::ConvTranspose) {
    columns = static_cast<size_t>(weight.dim(1));
    groups = static_cast<size_t>(producer.as<ConvTransposeAttributes>().groups);
  }
  const size_t run = static_cast<size_t>(weight.size()) / (rows * columns);
  float* value = weight.data<float>().data();
  for (size_t part = 0; part < rows * columns; ++part) {
    const size_t group = part / columns / (rows / groups);
    const double factor = factors[group * columns + part % columns];
    for (size_t i = 0; i < run; ++i, ++value) {
      *value = static_cast<float>(*value * factor);
    }
  }
}

void fold(Model& model, Node& producer, const Affine& affine) {
  const size_t channels = affine.factor.size();
  Tensor weight = model.weight(producer.inputs[1]).clone();
  Tensor bias = producer.inputs.size() > 2 ? model.weight(producer.inputs[2]).clone()
                                           : Tensor(DType::F32, {std::ssize(affine.factor)});
  scale_channels(producer, affine.factor, weight);
  const auto biases = bias.data<float>();
  for (size_t c = 0; c < channels; ++c) {
    biases[c] = static_cast<float>(biases[c] * affine.factor[c] + affine.offset[c]);
  }
  set_weight(model, producer, 1, std::move(weight), producer.name + ".weight");
  set_weight(model, producer, 2, std::move(bias), producer.name + ".bias");
}

class FoldBatchNorm final : public Pass {
 public:
  std::string_view name() const override { return "fold_batch_norm"; }

  Model apply(Model model) const override {
    Graph& graph = model.graph;
    for (size_t i = 0; i < graph.nodes.size();) {
      const Node bn = graph.nodes[i];
      Node* producer = bn.op == Op::BatchNorm ? foldable_producer(model, bn) : nullptr;
      if (producer == nullptr) {
        ++i;
        continue;
      }
      fold(model, *producer, affine_of(model, bn));
      if (is_output(graph, bn.name)) {
        producer->name = bn.name;  // outputs keep their names
      } else {
        replace_uses(graph, bn.name, producer->name);
      }
      graph.nodes.erase(graph.nodes.begin() + static_cast<ptrdiff_t>(i));
      for (size_t input = 1; input < bn.inputs.size(); ++input) {
        if (graph.consumers(bn.inputs[input]).empty()) {
          model.weights.erase(bn.inputs[input]);
        }
      }
    }
    return model;
  }
};

}  // namespace

std::unique_ptr<Pass> make_fold_batch_norm() {
  return std::make_unique<FoldBatchNorm>();
}

}  // namespace coppice::graph
