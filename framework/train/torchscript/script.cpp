#include "train/torchscript/script.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::train {

namespace {

using graph::Node;
using graph::Op;

/// What an optimiser would move: the operands of layers and normalisation but for BN's statistics,
/// which are stored in f32.
std::set<std::string> trained_weights(const graph::Model& model) {
  std::set<std::string> names;
  for (const Node& node : model.graph.nodes) {
    const bool layer = node.op == Op::Conv || node.op == Op::ConvTranspose || node.op == Op::Gemm ||
                       node.op == Op::MatMul || node.op == Op::LayerNorm;
    const size_t end = node.op == Op::BatchNorm ? 3 : layer ? node.inputs.size() : 0;
    for (size_t i = 1; i < end; ++i) {
      if (model.is_weight(node.inputs[i])) {
        names.insert(node.inputs[i]);
      }
    }
  }
  return names;
}

std::string as_attribute(const std::string& name) {
  std::string result = name.empty() || (name[0] >= '0' && name[0] <= '9') ? "_" : "";
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    result += plain ? c : '_';
  }
  return result;
}

std::string parameters(const graph::Model& model) {
  std::string text;
  const size_t count = model.graph.inputs().size();
  for (size_t i = 0; i < count; ++i) {
    text += count == 1 ? ", x" : fmt::format(", x{}", i);
  }
  return text;
}

}  // namespace

ScriptWriter::ScriptWriter(const graph::Model& model) : model_(model) {
  script_.text = fmt::format("def forward(self{}):\n", parameters(model));
  const auto inputs = model.graph.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    variables_[inputs[i]->name] = inputs.size() == 1 ? "x" : fmt::format("x{}", i);
  }
  const std::set<std::string> trained = trained_weights(model);
  std::set<std::string> read;
  for (const Node& node : model.graph.nodes) {
    read.insert(node.inputs.begin(), node.inputs.end());
  }
  for (const auto& [name, tensor] : model.weights) {
    if (read.contains(name)) {
      const std::string chosen = attribute(name);
      script_.tensors[chosen] = {tensor, trained.contains(name)};
      attributes_[name] = chosen;
    }
  }
}

/// A name that no other tensor and nothing of a module has.
std::string ScriptWriter::attribute(const std::string& name) {
  static const std::set<std::string> kTaken{"training", "class_names", "forward"};
  std::string chosen = as_attribute(name);
  while (kTaken.contains(chosen) || script_.tensors.contains(chosen)) {
    chosen += "_";
  }
  return chosen;
}

std::string ScriptWriter::value(const std::string& name) {
  if (const auto weight = attributes_.find(name); weight != attributes_.end()) {
    return "self." + weight->second;
  }
  return variables_.at(name);
}

std::string ScriptWriter::added(const std::string& name, graph::Tensor tensor, bool trains) {
  const std::string chosen = attribute(name);
  script_.tensors[chosen] = {std::move(tensor), trains};
  return "self." + chosen;
}

Script ScriptWriter::finish() {
  size_t number = 0;
  for (const Node& node : model_.graph.nodes) {
    if (node.op == Op::Input) {
      continue;
    }
    const std::string expression = script_expression(*this, node);
    const std::string variable = fmt::format("v{}", number++);
    variables_[node.name] = variable;
    script_.text += fmt::format("    {} = {}\n", variable, expression);
  }
  std::string result;
  for (const std::string& name : model_.graph.outputs) {
    const Node& node = model_.graph.at(name);
    const bool bytes = node.op == Op::QuantizeLinear;
    result += result.empty() ? "" : ", ";
    result += value(name) + (!bytes ? "" : node.dtype == graph::DType::U8 ? ".to(0)" : ".to(1)");
  }
  script_.text += fmt::format("    return {}\n", result);
  // Weights that only other forms of them are computed from.
  for (auto it = script_.tensors.begin(); it != script_.tensors.end();) {
    const std::string use = "self." + it->first;
    bool used = false;
    for (size_t at = script_.text.find(use); at != std::string::npos && !used;
         at = script_.text.find(use, at + 1)) {
      const char next = script_.text[at + use.size()];
      used = next == ',' || next == ')' || next == ']' || next == '.' || next == '\n';
    }
    it = used ? std::next(it) : script_.tensors.erase(it);
  }
  return std::move(script_);
}

Script write_script(const graph::Model& model) {
  return ScriptWriter(model).finish();
}

}  // namespace coppice::train
