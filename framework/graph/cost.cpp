#include "graph/cost.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "graph/graph.h"

namespace coppice::graph {

namespace {

using Index = std::unordered_map<std::string_view, const Node*>;

Index index_of(const Graph& graph) {
  Index index;
  for (const Node& node : graph.nodes) {
    index.emplace(node.name, &node);
  }
  return index;
}

int64_t times(int64_t a, int64_t b) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) {
    throw core::Error(core::ErrorKind::InvalidArgument, "the model's cost exceeds 64 bits");
  }
  return product;
}

int64_t plus(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) {
    throw core::Error(core::ErrorKind::InvalidArgument, "the model's cost exceeds 64 bits");
  }
  return sum;
}

bool is_batched(const Node& node) {
  return !node.shape.empty() && node.shape[0] == kBatch;
}

/// Elements of one sample; 0 for a constant such as a dequantised weight.
int64_t sample_size(const Node& node) {
  if (!is_batched(node)) {
    return 0;
  }
  return element_count(Shape(node.shape.begin() + 1, node.shape.end()));
}

/// The weight behind an input, directly or through DequantizeLinear; "" for an activation.
std::string_view stored_weight(const Model& model, const Index& index, const std::string& input) {
  if (model.weights.contains(input)) {
    return input;
  }
  const auto it = index.find(input);
  if (it != index.end() && it->second->op == Op::DequantizeLinear &&
      model.weights.contains(it->second->inputs[0])) {
    return it->second->inputs[0];
  }
  return "";
}

bool multiplies(const Node& node) {
  switch (node.op) {
    case Op::Conv:
    case Op::ConvTranspose:
    case Op::Gemm:
    case Op::MatMul:
    case Op::Lstm:
    case Op::Gru:
      return true;
    default:
      return false;
  }
}

int64_t node_macs(const Model& model, const Index& index, const Node& node) {
  const auto shape_of = [&](const std::string& name) -> const Shape& {
    const auto it = index.find(name);
    return it == index.end() ? model.weight(name).shape() : it->second->shape;
  };
  const Shape& shape = shape_of(node.inputs[1]);
  switch (node.op) {
    case Op::ConvTranspose:  // every input value meets the filters of its channel
      return times(sample_size(*index.at(node.inputs[0])),
                   element_count(Shape(shape.begin() + 1, shape.end())));
    case Op::MatMul:
      return times(sample_size(node), shape[shape.size() - 2]);
    case Op::Lstm:
    case Op::Gru:
      return times(node.shape[1],
                   plus(element_count(shape), element_count(shape_of(node.inputs[2]))));
    default:
      return times(sample_size(node), element_count(Shape(shape.begin() + 1, shape.end())));
  }
}

int64_t peak_activation_bytes(const Model& model) {
  const auto& nodes = model.graph.nodes;
  std::unordered_map<std::string_view, size_t> last_use;
  for (size_t i = 0; i < nodes.size(); ++i) {
    last_use[nodes[i].name] = i;
    for (const std::string& input : nodes[i].inputs) {
      last_use[input] = i;
    }
  }
  for (const std::string& output : model.graph.outputs) {
    last_use[output] = nodes.size();
  }
  std::vector<int64_t> freed(nodes.size() + 1, 0);
  int64_t live = 0;
  int64_t peak = 0;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const int64_t bytes = times(sample_size(nodes[i]), size_bytes(nodes[i].dtype));
    freed[last_use[nodes[i].name]] = plus(freed[last_use[nodes[i].name]], bytes);
    live = plus(live, bytes);
    peak = std::max(peak, live);
    live -= freed[i];
  }
  return peak;
}

}  // namespace

std::map<std::string, int64_t> macs_by_node(const Model& model) {
  const Index index = index_of(model.graph);
  std::map<std::string, int64_t> result;
  for (const Node& node : model.graph.nodes) {
    if (multiplies(node)) {
      result[node.name] = node_macs(model, index, node);
    }
  }
  return result;
}

std::map<std::string, int64_t> parameters_by_node(const Model& model) {
  const Index index = index_of(model.graph);
  std::set<std::string_view> counted;
  std::map<std::string, int64_t> result;
  for (const Node& node : model.graph.nodes) {
    const bool norm = node.op == Op::BatchNorm || node.op == Op::LayerNorm;
    if (!multiplies(node) && !norm && node.op != Op::PRelu) {
      continue;
    }
    int64_t& parameters = result[node.name];
    const size_t learnt = node.op == Op::BatchNorm ? 3 : node.inputs.size();  // no statistics
    for (size_t i = 1; i < std::min(node.inputs.size(), learnt); ++i) {
      const std::string_view weight = stored_weight(model, index, node.inputs[i]);
      if (!weight.empty() && counted.insert(weight).second) {
        parameters += model.weight(std::string(weight)).size();
      }
    }
  }
  return result;
}

Cost cost(const Model& model) {
  Cost result;
  for (const auto& [name, macs] : macs_by_node(model)) {
    result.macs = plus(result.macs, macs);
  }
  for (const auto& [name, parameters] : parameters_by_node(model)) {
    result.parameters += parameters;
  }
  for (const auto& [name, tensor] : model.weights) {
    result.weight_bytes = plus(result.weight_bytes, tensor.bytes_size());
  }
  result.activation_bytes = peak_activation_bytes(model);
  return result;
}

std::string summary(const Model& model) {
  const auto macs = macs_by_node(model);
  const auto parameters = parameters_by_node(model);
  size_t width = 4;
  for (const Node& node : model.graph.nodes) {
    width = std::max(width, node.name.size());
  }
  const auto row = [&](auto name, auto op, auto shape, auto count, auto multiplies) {
    return fmt::format(
        "{:<{}}  {:<18}{:<22}{:>12}{:>14}\n", name, width, op, shape, count, multiplies);
  };
  const auto value = [](const std::map<std::string, int64_t>& map, const std::string& name) {
    const auto it = map.find(name);
    return it == map.end() ? std::string() : fmt::format("{}", it->second);
  };
  std::string text = row("node", "op", "output", "parameters", "MACs");
  for (const Node& node : model.graph.nodes) {
    const Shape sample(node.shape.begin() + (is_batched(node) ? 1 : 0), node.shape.end());
    const std::string shape =
        fmt::format("[{}{}]", is_batched(node) ? "n, " : "", fmt::join(sample, ", "));
    text += row(
        node.name, to_string(node.op), shape, value(parameters, node.name), value(macs, node.name));
  }
  const Cost total = cost(model);
  text += row("total", "", "", total.parameters, total.macs);
  text += fmt::format("weights {} bytes, activations {} bytes at their peak\n",
                      total.weight_bytes,
                      total.activation_bytes);
  return text;
}

}  // namespace coppice::graph
