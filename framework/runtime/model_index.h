#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "graph/graph.h"

namespace coppice::runtime {

/// Who makes and who reads each value of a model. Borrows the model, which must not change.
class ModelIndex {
 public:
  explicit ModelIndex(const graph::Model& model);

  const graph::Model& model() const { return *model_; }

  /// The node of that name; nullptr for a weight.
  const graph::Node* node(std::string_view name) const;

  /// The node of that name when it has a single reader: it may be fused into that one. nullptr
  /// otherwise.
  const graph::Node* private_node(std::string_view name) const;

  /// Readers of a value; being a model output counts as one.
  int64_t uses(std::string_view name) const;

  /// Whether a value is a weight or follows from weights alone.
  bool is_constant(const std::string& name) const;

  /// Such a value, computed by the reference kernels when first asked for.
  const graph::Tensor& constant(const std::string& name);

 private:
  const graph::Model* model_;
  std::unordered_map<std::string_view, const graph::Node*> nodes_;
  std::map<std::string, int64_t, std::less<>> uses_;  ///< owns its keys: passes rewrite inputs
  std::unordered_map<std::string_view, bool> constant_nodes_;
  std::map<std::string, graph::Tensor> folded_;
};

}  // namespace coppice::runtime
