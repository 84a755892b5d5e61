#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <onnx/onnx_pb.h>

#include "graph/graph.h"
#include "graph/onnx/attribute_reader.h"
#include "graph/shapes/rules.h"

namespace coppice::graph {

[[noreturn]] void corrupt_node(const onnx::NodeProto& node, const std::string& why);
[[noreturn]] void unsupported_node(const onnx::NodeProto& node, const std::string& why);

/// Reads one ONNX graph front to back and infers shapes on the way. Constants are decoded when a
/// node uses them.
class OnnxReader {
 public:
  /// REQUIRES: `graph` outlives the reader.
  OnnxReader(const onnx::GraphProto& graph, int64_t opset);

  /// Throws Error{Corrupt, Unsupported, InvalidArgument}. Called once.
  Model read();

  // What the ops' readers (ops.cpp) are written with.

  int64_t opset() const { return opset_; }

  /// Batch size that the file fixes for its input, if it does.
  std::optional<int64_t> fixed_batch() const { return fixed_batch_; }

  /// Our name for input `i`, a weight or a node before; "" when that optional input is left out.
  std::string use(const onnx::NodeProto& node, int i);
  /// Throws for a node's output.
  const Tensor& constant(const onnx::NodeProto& node, int i);
  const Shape& shape(const onnx::NodeProto& node, int i);
  DType dtype(const onnx::NodeProto& node, int i);
  /// What input `i` stands for, without using it as a weight.
  std::string alias_target(const onnx::NodeProto& node, int i);

  void add_constant(const std::string& name, Tensor tensor);
  void add_alias(const std::string& name, const std::string& target);
  /// A weight that the file does not have, under `stem` or a name like it.
  std::string add_weight(const std::string& stem, Tensor tensor);
  /// A node named after the first output, with the inputs given; infers its shape.
  void add(const onnx::NodeProto& node,
           Op op,
           Attributes attributes,
           std::vector<std::string> inputs);

 private:
  void read_initializers();
  void read_input(const onnx::ValueInfoProto& input);
  void read_outputs();
  void take_name(const std::string& name);
  const std::string& resolve(const std::string& name) const;
  const Tensor* find_constant(const std::string& name);
  void append(Node node);

  const onnx::GraphProto& graph_;
  int64_t opset_;
  std::optional<int64_t> fixed_batch_;
  Model model_;
  std::deque<Node> nodes_;  ///< stays in place while the scope borrows
  Scope scope_;
  std::map<std::string, const onnx::TensorProto*> initializers_;
  std::map<std::string, Tensor> constants_;
  std::map<std::string, std::string> aliases_;
};

/// Reads one node with the reader of its op. Throws Error{Unsupported} naming node, op and the
/// supported set.
void read_onnx_node(OnnxReader& reader, const onnx::NodeProto& node);

}  // namespace coppice::graph
