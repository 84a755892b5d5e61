#include "train/torchscript/script.h"

#include <algorithm>

#include <fmt/format.h>

#include "train/trained_weights.h"

namespace coppice::train {

namespace {

using graph::Node;
using graph::Op;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// A name in Python. Single words get a '_' behind them: none is a word of the language, or one
/// that the file's code needs, which takes attributes' names for its variables (torch, float).
std::string as_attribute(const std::string& name) {
  std::string result = name.empty() || (name[0] >= '0' && name[0] <= '9') ? "_" : "";
  for (const char c : name) {
    result += is_letter(c) || (c >= '0' && c <= '9') ? c : '_';
  }
  return std::ranges::all_of(result, is_letter) ? result + "_" : result;
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
    values_[inputs[i]->name] = inputs.size() == 1 ? "x" : fmt::format("x{}", i);
  }
  for (const TrainedWeight& weight : trained_weights(model)) {
    trained_.insert(weight.name);
  }
}

/// A name that no other tensor and nothing of a module has.
std::string ScriptWriter::attribute(const std::string& name) const {
  static const std::set<std::string> kTaken{"class_names", "unchecked_cast", "__torch__"};
  std::string chosen = as_attribute(name);
  while (kTaken.contains(chosen) || script_.tensors.contains(chosen)) {
    chosen += "_";
  }
  return chosen;
}

std::string ScriptWriter::value(const std::string& name) {
  const auto [known, is_new] = values_.try_emplace(name);
  if (is_new) {
    known->second = added(name, model_.weight(name), trained_.contains(name));
  }
  return known->second;
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
    values_[node.name] = variable;
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
  return std::move(script_);
}

Script write_script(const graph::Model& model) {
  return ScriptWriter(model).finish();
}

}  // namespace coppice::train
