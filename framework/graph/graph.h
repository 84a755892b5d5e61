#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/op.h"
#include "graph/tensor.h"

namespace coppice::graph {

/// The batch dimension of a shape: unknown until a model is run.
inline constexpr int64_t kBatch = -1;

/// One op. Its single output bears its name. `inputs` name nodes before it, or weights of the model
/// (never both).
struct Node {
  std::string name;
  Op op = Op::Input;
  std::vector<std::string> inputs;
  Attributes attributes;
  DType dtype = DType::F32;  ///< of the output; filled by infer_shapes
  Shape shape;               ///< of the output, kBatch first; filled by infer_shapes

  template <class A>
  const A& as() const {
    return std::get<A>(attributes);
  }

  template <class A>
  A& as() {
    return std::get<A>(attributes);
  }
};

using Weights = std::map<std::string, Tensor>;

/// A network as a value: nodes in topological order and the names of its outputs.
struct Graph {
  std::vector<Node> nodes;
  std::vector<std::string> outputs;

  const Node* find(std::string_view name) const;  ///< nullptr when there is none
  Node* find(std::string_view name);
  const Node& at(std::string_view name) const;  ///< throws Error{NotFound} with the nearest name
  std::vector<const Node*> consumers(std::string_view name) const;
  std::vector<const Node*> inputs() const;  ///< the Input nodes
};

/// Metadata that travels in the ONNX file.
struct Metadata {
  std::string name;
  std::string task = "classification";
  std::vector<std::string> class_names;
  std::map<std::string, std::string> lineage;  ///< "dataset" → hash, "parent" → hash, "stage" → …
  /// Of a network that reconstructs its input: a sample is an anomaly where the mean squared
  /// difference from its preprocessed input is larger.
  std::optional<double> anomaly_threshold = {};
};

/// Graph, weights and metadata. Preprocessing is the first nodes, so that a device feeds raw bytes.
struct Model {
  Graph graph;
  Weights weights;
  Metadata metadata;

  bool is_weight(std::string_view name) const;
  const Tensor& weight(const std::string& name) const;  ///< throws Error{NotFound}
};

/// Fills dtype and shape of every node. Throws Error{InvalidArgument} naming the node for shapes
/// that do not fit.
void infer_shapes(Model& model);

/// Throws Error{InvalidArgument} naming the node when names repeat, an input does not exist or
/// comes later, the number of inputs or the kind of attributes is wrong, a shape or dtype does not
/// fit, or an output is missing.
void verify(const Model& model);

/// SHA-256 over graph, weights and class names: equal for equal models whatever file they come
/// from. Neither the order of nodes nor weights that no node names make a difference.
std::string content_hash(const Model& model);

/// A table of the layers: name, op, output shape, parameters, MACs.
std::string summary(const Model& model);

}  // namespace coppice::graph
