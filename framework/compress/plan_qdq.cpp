#include <algorithm>
#include <set>

#include "compress/qdq.h"
#include "compress/quantise.h"
#include "core/error.h"
#include "graph/elementwise.h"

namespace coppice::compress {

using graph::Node;
using graph::Op;

namespace {

bool could_be_int8(const graph::Model& model, const Node& node) {
  return (node.op == Op::Conv || node.op == Op::Gemm) &&
         std::all_of(node.inputs.begin() + 1, node.inputs.end(), [&](const std::string& name) {
           return model.is_weight(name) && model.weight(name).dtype() == graph::DType::F32;
         });
}

class Planner {
 public:
  Planner(const graph::Model& model, const PlanOptions& options)
      : model_(model),
        options_(options),
        float_(options.float_layers.begin(), options.float_layers.end()),
        outputs_(model.graph.outputs.begin(), model.graph.outputs.end()) {}

  QdqPlan run() {
    const auto& nodes = model_.graph.nodes;
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
      if (wants_integers(*node)) {
        const std::string spared =
            node->op == Op::Add && !options_.round_sums ? spared_by(*node) : "";
        for (const std::string& input : node->inputs) {
          const Node* source = model_.graph.find(input);
          if (source != nullptr && source->dtype == graph::DType::F32 && input != spared) {
            wanted_.insert(input);
          }
        }
      }
    }
    QdqPlan plan{.scale_of = {}, .layers = {}, .per_channel = options_.per_channel};
    for (const Node& node : nodes) {
      if (is_layer(node)) {
        plan.layers.push_back(node.name);
      }
      if (wanted_.contains(node.name)) {
        const bool keeps = moves(node) && wanted_.contains(node.inputs[0]);
        plan.scale_of[node.name] = keeps ? plan.scale_of.at(node.inputs[0]) : node.name;
      }
    }
    return plan;
  }

 private:
  bool is_layer(const Node& node) const {
    return could_be_int8(model_, node) && !float_.contains(node.name);
  }

  /// Whether the output's values are all among the input's, so that one scale serves both.
  static bool moves(const Node& node) {
    switch (node.op) {
      case Op::MaxPool:
      case Op::Flatten:
      case Op::Reshape:
      case Op::Slice:
      case Op::Transpose:
        return true;
      case Op::Resize:
        return node.as<graph::ResizeAttributes>().mode == graph::ResizeMode::Nearest;
      default:
        return false;
    }
  }

  /// Whether the node reads integers: always where it multiplies or averages, elsewhere only if its
  /// own output becomes integers too. Its consumers have been asked before.
  bool wants_integers(const Node& node) const {
    switch (node.op) {
      case Op::Conv:
      case Op::Gemm:
        return is_layer(node);
      case Op::AveragePool:
      case Op::GlobalAveragePool:
        return true;
      case Op::MaxPool:
      case Op::Concat:
      case Op::Slice:
      case Op::Transpose:
        return wanted_.contains(node.name);
      case Op::Resize:
        return wanted_.contains(node.name) && moves(node);
      case Op::Flatten:
      case Op::Reshape:
        return wanted_.contains(node.name) && !reads_plain(node);
      case Op::Add: {
        const auto consumers = model_.graph.consumers(node.name);
        const bool both = !model_.is_weight(node.inputs[0]) && !model_.is_weight(node.inputs[1]);
        return both && (wanted_.contains(node.name) ||
                        std::any_of(consumers.begin(), consumers.end(), [&](const Node* consumer) {
                          return is_rectifier(*consumer) && wanted_.contains(consumer->name);
                        }));
      }
      case Op::Relu:
      case Op::Clip:
        return wanted_.contains(node.name) && !(is_rectifier(node) && is_fused(node));
      default:
        return graph::is_unary_elementwise(node.op) && wanted_.contains(node.name);
    }
  }

  /// The layer whose sums an Add takes before they are rounded: an engine adds the other input to
  /// them in the same loop. The later one where both would do, as its turn comes when the other is
  /// there. "" where there is none.
  std::string spared_by(const Node& add) const {
    std::string spared;
    for (const Node& node : model_.graph.nodes) {
      const bool one_side = (add.inputs[0] == node.name) != (add.inputs[1] == node.name);
      if (one_side && is_layer(node) && node.shape == add.shape && is_private(node)) {
        spared = node.name;
      }
    }
    return spared;
  }

  /// Whether one node alone sees the output.
  bool is_private(const Node& node) const {
    return !outputs_.contains(node.name) && model_.graph.consumers(node.name).size() == 1;
  }

  /// Whether a Flatten alone reads an average or an elementwise float op (preprocessing). One
  /// quantisation behind the Flatten is enough then; behind a layer there must be one before it
  /// too, or runtimes that match patterns miss the layer.
  bool reads_plain(const Node& flatten) const {
    const Node& source = model_.graph.at(flatten.inputs[0]);
    switch (source.op) {
      case Op::Input:
      case Op::Cast:
      case Op::Sub:
      case Op::Mul:
      case Op::Div:
      case Op::AveragePool:
      case Op::GlobalAveragePool:
        return is_private(source);
      default:
        return false;
    }
  }

  /// ReLU, or a Clip from 0 such as ReLU6, which engines fuse alike.
  static bool is_rectifier(const Node& node) {
    return node.op == Op::Relu ||
           (node.op == Op::Clip && node.as<graph::ClipAttributes>().low == 0);
  }

  /// A rectifier that clips what its producer computes, before anything else sees it.
  bool is_fused(const Node& relu) const {
    const Node& producer = model_.graph.at(relu.inputs[0]);
    switch (producer.op) {
      case Op::Conv:
      case Op::Gemm:
      case Op::Add:
      case Op::Sub:
      case Op::Mul:
      case Op::Div:
      case Op::BatchNorm:
        return is_private(producer);
      default:
        return false;
    }
  }

  const graph::Model& model_;
  const PlanOptions& options_;
  std::set<std::string> float_;
  std::set<std::string> outputs_;
  std::set<std::string> wanted_;
};

void check_float_layers(const graph::Model& model, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const Node& node : model.graph.nodes) {
    if (could_be_int8(model, node)) {
      known.push_back(node.name);
    }
  }
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw core::Error(core::ErrorKind::NotFound,
                        "quantise: float_layers names '" + name +
                            "', which is no Conv or Gemm of the model" +
                            core::did_you_mean(name, known));
    }
  }
}

}  // namespace

PlanOptions plan_options(const QuantiseOptions& options) {
  return {.round_sums = options.round_sums,
          .per_channel = options.per_channel,
          .float_layers = options.float_layers};
}

QdqPlan plan_qdq(const graph::Model& model, const PlanOptions& options) {
  check_float_layers(model, options.float_layers);
  return Planner(model, options).run();
}

}  // namespace coppice::compress
