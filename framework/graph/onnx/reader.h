#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <onnx/onnx_pb.h>

#include "graph/graph.h"
#include "graph/onnx/attribute_reader.h"
#include "graph/onnx/budget.h"
#include "graph/onnx/external_data.h"
#include "graph/onnx/view.h"
#include "graph/shapes/rules.h"

namespace coppice::graph {

/// "ONNX node 'y' (Conv)".
std::string describe(const onnx::NodeProto& node);
[[noreturn]] void corrupt_node(const onnx::NodeProto& node, const std::string& why);
[[noreturn]] void unsupported_node(const onnx::NodeProto& node, const std::string& why);

/// Reads one ONNX graph front to back and infers shapes on the way. Constants are decoded when a
/// node uses them.
class OnnxReader {
 public:
  /// `folder` is where data beside the file may be, or nullptr. REQUIRES: `graph` and `folder`
  /// outlive the reader.
  OnnxReader(const onnx::GraphProto& graph,
             int64_t opset,
             int64_t file_bytes,
             ExternalFolder* folder);

  /// Throws Error{Corrupt, Unsupported, InvalidArgument}. Called once.
  Model read();

  // What the ops' readers (ops….cpp) are written with.

  int64_t opset() const { return opset_; }

  /// Where tensors that the file does not hold come from.
  Budget& budget() { return budget_; }

  /// Batch size that the file fixes for its input, if it does.
  std::optional<int64_t> fixed_batch() const { return fixed_batch_; }

  /// Whether input `i` is there.
  static bool has(const onnx::NodeProto& node, int i) {
    return i < node.input_size() && !node.input(i).empty();
  }

  /// Our name for input `i`, a weight or a node before; "" when that optional input is left out.
  std::string use(const onnx::NodeProto& node, int i);
  /// Throws for a node's output.
  const Tensor& constant(const onnx::NodeProto& node, int i);
  /// nullptr for a node's output.
  const Tensor* find_constant(const onnx::NodeProto& node, int i);
  const Shape& shape(const onnx::NodeProto& node, int i);
  DType dtype(const onnx::NodeProto& node, int i);
  /// What input `i` stands for, without using it as a weight.
  std::string alias_target(const onnx::NodeProto& node, int i);

  void add_constant(const std::string& name, Tensor tensor);
  void add_alias(const std::string& name, const std::string& target);
  /// A weight that the file does not have, under `stem` or a name like it.
  std::string add_weight(const std::string& stem, Tensor tensor);
  /// A constant of one value and of a shape that may depend on the batch: a first state.
  void add_filled(const std::string& name, float value);
  /// Whether input `i` is such a constant, or one of known shape, and zero all over.
  bool is_zero(const onnx::NodeProto& node, int i);
  bool is_filled(const onnx::NodeProto& node, int i) const;
  float filled(const onnx::NodeProto& node, int i) const;

  /// The batch's size in shapes that the file computes.
  int64_t batch_value() const { return fixed_batch_.value_or(kSymbolicBatch); }

  /// Whether input `i` is kept as a view, not as a node's output.
  bool is_view(const onnx::NodeProto& node, int i) const;
  /// Any activation as a view.
  View view(const onnx::NodeProto& node, int i);
  /// The same with the batch as axis 0 of the node and the others in the view's order: one axis for
  /// what a dimension has before, and one for what it has behind the batch, or for all of it.
  View canonical(const onnx::NodeProto& node, int i);
  Shape shape(const View& view) const;

  const Shape& node_shape(const View& view) const { return scope_.find(view.node)->shape; }

  /// Names output `i` after a view. It becomes a node's output at once where the batch comes first,
  /// or when somebody needs one if `keep`.
  void define(const onnx::NodeProto& node, int i, const View& view, bool keep = false);
  /// A node whose name no node of the file has; it may get one by `define`.
  std::string make(const onnx::NodeProto& node,
                   Op op,
                   Attributes attributes,
                   std::vector<std::string> inputs);
  /// The node of `view` with its sample in another shape.
  std::string reshape(const onnx::NodeProto& node, const std::string& name, const Shape& sample);

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
  static void require_plain(const std::string& name);
  std::string free_name(const std::string& stem);
  const std::string& resolve(const std::string& name) const;
  const Tensor* find_constant(const std::string& name);
  void append(Node node);
  std::string settle(const onnx::NodeProto& node, const std::string& name);
  std::string materialise(const onnx::NodeProto& node, const View& view);
  std::string transpose(const onnx::NodeProto& node, const std::string& name, Shape order);
  void give_final_names();

  const onnx::GraphProto& graph_;
  int64_t opset_;
  Budget budget_;
  ExternalFolder* folder_;
  std::optional<int64_t> fixed_batch_;
  Model model_;
  std::deque<Node> nodes_;  ///< stays in place while the scope borrows
  Scope scope_;
  std::map<std::string, const onnx::TensorProto*> initializers_;
  std::map<std::string, Tensor> constants_;
  std::map<std::string, std::string> aliases_;
  std::set<std::string_view> file_names_;
  std::map<std::string, int> name_counts_;  ///< by stem, of names that the file does not have
  std::map<std::string, View> views_;
  std::map<std::string, const onnx::NodeProto*> view_makers_;
  std::map<std::string, float> filled_;
  std::set<std::string> inner_;                     ///< nodes that have no name of the file yet
  std::map<std::string, std::string> final_names_;  ///< of those that got one
};

/// Reads one node with the reader of its op. Throws Error{Unsupported} naming node, op and the
/// supported set.
void read_onnx_node(OnnxReader& reader, const onnx::NodeProto& node);

}  // namespace coppice::graph
