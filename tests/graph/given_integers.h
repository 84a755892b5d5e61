#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace coppice::graph::testing {

/// Names of what a model quantises, in graph order.
inline std::vector<std::string> quantisers_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) {
    if (node.op == Op::QuantizeLinear) {
      names.push_back(node.name);
    }
  }
  return names;
}

/// Whose outputs are the integers of every quantiser, in graph order.
inline Model with_integers_as_outputs(Model model) {
  model.graph.outputs = quantisers_of(model.graph);
  return model;
}

/// The same, but whatever reads a quantiser reads an input of its own in its place, behind the
/// model's own inputs and in graph order. So each quantiser is judged alone, on integers that are
/// the same on both sides: a tie that fell the other way in one layer moves the sums of all layers
/// behind it, by any number of steps.
inline Model with_integers_as_inputs(const Model& model) {
  const std::vector<std::string> quantisers = quantisers_of(model.graph);
  const auto given = [](const std::string& quantiser) {
    return quantiser + "_given";
  };
  Model result = with_integers_as_outputs(model);
  result.graph.nodes.clear();
  for (const Node* input : model.graph.inputs()) {
    result.graph.nodes.push_back(*input);
  }
  for (const std::string& name : quantisers) {
    const Node& quantiser = model.graph.at(name);
    Node input;
    input.name = given(name);
    input.op = Op::Input;
    input.attributes = InputAttributes{quantiser.dtype, quantiser.shape};
    result.graph.nodes.push_back(std::move(input));
  }
  for (Node node : model.graph.nodes) {
    if (node.op == Op::Input) {
      continue;
    }
    for (std::string& input : node.inputs) {
      if (std::find(quantisers.begin(), quantisers.end(), input) != quantisers.end()) {
        input = given(input);
      }
    }
    result.graph.nodes.push_back(std::move(node));
  }
  infer_shapes(result);
  return result;
}

}  // namespace coppice::graph::testing
