#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice::train {

/// A constant of the module.
struct ScriptTensor {
  graph::Tensor value;
  bool trains = false;  ///< a parameter, else a buffer
};

/// The method of a module as text, and the tensors that it names.
struct Script {
  std::string text;                             ///< "def forward(self, …): …"
  std::map<std::string, ScriptTensor> tensors;  ///< by attribute
};

/// REQUIRES: the model verifies.
Script write_script(const graph::Model& model);

/// Collects the script while nodes are written.
class ScriptWriter {
 public:
  explicit ScriptWriter(const graph::Model& model);

  const graph::Model& model() const { return model_; }

  /// The expression of a node's output or of a weight, which the module holds from then on: "v3",
  /// "self.conv1_weight".
  std::string value(const std::string& name);

  /// Gives the module a tensor, under a name like this one; its expression.
  std::string added(const std::string& name, graph::Tensor tensor, bool trains);

  Script finish();

 private:
  std::string attribute(const std::string& name) const;

  const graph::Model& model_;
  Script script_;
  std::set<std::string> trained_;              ///< weights
  std::map<std::string, std::string> values_;  ///< expressions of nodes and of weights in use
};

/// The expression that computes a node.
std::string script_expression(ScriptWriter& writer, const graph::Node& node);

}  // namespace coppice::train
