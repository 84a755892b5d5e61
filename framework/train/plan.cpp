#include "train/plan.h"

#include <algorithm>
#include <map>
#include <set>

namespace coppice::train {

namespace {

using graph::Op;

/// The only reader of node `i`; 0, which is always an input, when there are others or none.
size_t sole_reader(const graph::Model& model, const std::vector<Step>& steps, size_t i) {
  const auto& nodes = model.graph.nodes;
  if (steps[i].readers != 1 || steps[i].is_output) {
    return 0;
  }
  for (size_t next = i + 1; next < nodes.size(); ++next) {
    const auto& inputs = nodes[next].inputs;
    if (std::find(inputs.begin(), inputs.end(), nodes[i].name) != inputs.end()) {
      return next;
    }
  }
  return 0;
}

/// What `add` adds to node `i`, where that is an image of the same shape computed before it.
std::optional<size_t> residual_of(const graph::Model& model,
                                  const std::vector<Step>& steps,
                                  size_t i,
                                  size_t add) {
  const auto& nodes = model.graph.nodes;
  for (const Source& source : steps[add].sources) {
    if (source.weight.empty() && source.node < i && nodes[source.node].shape == nodes[i].shape) {
      return source.node;
    }
  }
  return std::nullopt;
}

/// Whether DequantizeLinear gives back what QuantizeLinear rounded: one scale and no zero point but
/// 0.
bool gives_back(const graph::Model& model, const graph::Node& quantise, const graph::Node& back) {
  const graph::Tensor& zero = model.weight(quantise.inputs[2]);
  return back.op == Op::DequantizeLinear && quantise.inputs[1] == back.inputs[1] &&
         quantise.inputs[2] == back.inputs[2] && model.weight(quantise.inputs[1]).size() == 1 &&
         zero.bytes()[0] == std::byte{0};
}

void find_chain(const graph::Model& model, std::vector<Step>& steps, size_t i) {
  const auto& nodes = model.graph.nodes;
  const bool norm = nodes[i].op == Op::BatchNorm;
  if (nodes[i].op == Op::QuantizeLinear) {
    const size_t back = sole_reader(model, steps, i);
    if (gives_back(model, nodes[i], nodes[back])) {
      steps[i].chain = {back};
    }
    return;
  }
  if ((!norm && nodes[i].op != Op::Relu) || nodes[i].shape.size() != 4) {
    return;
  }
  Step& step = steps[i];
  size_t next = sole_reader(model, steps, i);
  const auto take = [&] {
    step.chain.push_back(next);
    next = sole_reader(model, steps, next);
  };
  if (norm && nodes[next].op == Op::Add) {
    step.residual = residual_of(model, steps, i, next);
    if (!step.residual) {
      return;
    }
    take();
  }
  if (norm && nodes[next].op == Op::Relu) {
    take();
  }
  const bool after_relu = !norm || (!step.chain.empty() && nodes[step.chain.back()].op == Op::Relu);
  if (after_relu && !step.residual && nodes[next].op == Op::MaxPool &&
      nodes[next].as<graph::PoolAttributes>() == graph::PoolAttributes{}) {
    take();
  }
}

/// Once the chains are known: what the BatchNorm's chain adds must be computed before the Conv.
std::optional<size_t> find_norm(const graph::Model& model,
                                const std::vector<Step>& steps,
                                size_t conv) {
  const size_t next = sole_reader(model, steps, conv);
  const bool found = model.graph.nodes[conv].op == Op::Conv &&
                     model.graph.nodes[next].op == Op::BatchNorm &&
                     (!steps[next].residual || *steps[next].residual < conv);
  return found ? std::optional(next) : std::nullopt;
}

}  // namespace

std::vector<Step> plan_steps(const graph::Model& model) {
  const auto& nodes = model.graph.nodes;
  std::vector<Step> steps(nodes.size());
  std::map<std::string, size_t> index;
  std::map<size_t, size_t> last_reader;
  for (size_t i = 0; i < nodes.size(); ++i) {
    index[nodes[i].name] = i;
    for (const std::string& input : nodes[i].inputs) {
      if (model.is_weight(input)) {
        steps[i].sources.push_back({.weight = input});
        continue;
      }
      const size_t producer = index.at(input);
      steps[i].sources.push_back({.node = producer});
      last_reader[producer] = i;
      ++steps[producer].readers;
    }
  }
  for (const auto& [producer, reader] : last_reader) {
    steps[reader].last_reader_of.push_back(producer);
  }
  for (const std::string& output : model.graph.outputs) {
    steps[index.at(output)].is_output = true;
  }
  std::set<std::string> scales;
  for (size_t i = 0; i < nodes.size(); ++i) {
    steps[i].first_of_scale =
        nodes[i].op == Op::QuantizeLinear && scales.insert(nodes[i].inputs[1]).second;
    find_chain(model, steps, i);
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    steps[i].norm = find_norm(model, steps, i);
  }
  return steps;
}

}  // namespace coppice::train
