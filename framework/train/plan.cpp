#include "train/plan.h"

#include <map>

namespace coppice::train {

namespace {

using graph::Node;
using graph::Op;

/// The node of this op that alone reads `i`; 0, which is always an input, when there is none.
size_t sole_reader(const graph::Model& model, const std::vector<Step>& steps, size_t i, Op op) {
  const auto& nodes = model.graph.nodes;
  if (steps[i].readers != 1 || steps[i].is_output) {
    return 0;
  }
  for (size_t next = i + 1; next < nodes.size(); ++next) {
    if (nodes[next].op == op && nodes[next].inputs[0] == nodes[i].name) {
      return next;
    }
  }
  return 0;
}

std::vector<size_t> find_chain(const graph::Model& model,
                               const std::vector<Step>& steps,
                               size_t i) {
  const Node& node = model.graph.nodes[i];
  const bool norm = node.op == Op::BatchNorm;
  if ((!norm && node.op != Op::Relu) || node.shape.size() != 4) {
    return {};
  }
  std::vector<size_t> chain;
  const size_t relu = norm ? sole_reader(model, steps, i, Op::Relu) : i;
  if (norm && relu != 0) {
    chain.push_back(relu);
  }
  const size_t pool = relu != 0 ? sole_reader(model, steps, relu, Op::MaxPool) : 0;
  if (pool != 0 && model.graph.nodes[pool].as<graph::PoolAttributes>() == graph::PoolAttributes{}) {
    chain.push_back(pool);
  }
  return chain;
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
  for (size_t i = 0; i < nodes.size(); ++i) {
    steps[i].chain = find_chain(model, steps, i);
  }
  return steps;
}

}  // namespace coppice::train
