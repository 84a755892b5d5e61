#pragma once

#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/graph.h"

namespace coppice::graph {

/// What a node makes.
struct ValueType {
  DType dtype = DType::F32;
  Shape shape;
  bool operator==(const ValueType&) const = default;
};

/// What a node reads: another node's output, or a weight.
struct Operand {
  DType dtype;
  const Shape& shape;
  const Tensor* weight;  ///< nullptr for a node's output

  bool is_batched() const { return weight == nullptr && !shape.empty() && shape[0] == kBatch; }
};

using Operands = std::span<const Operand>;

/// No dimension, stride or pad is larger, so that arithmetic on a product of two stays within
/// int64_t.
inline constexpr int64_t kLargestDimension = (int64_t{1} << 31) - 1;
/// No value has more dimensions.
inline constexpr size_t kMostDimensions = 16;
/// No node makes more values per sample.
inline constexpr int64_t kLargestSample = kLargestDimension;

/// Throws Error{InvalidArgument} naming the node and its op.
template <class... Args>
[[noreturn]] void fail(const Node& node, fmt::format_string<Args...> format, Args&&... args) {
  throw core::Error(core::ErrorKind::InvalidArgument,
                    fmt::format("node '{}' ({}): {}",
                                node.name,
                                to_string(node.op),
                                fmt::format(format, std::forward<Args>(args)...)));
}

/// Names that nodes may read, filled in graph order. Borrows the model and the nodes.
class Scope {
 public:
  explicit Scope(const Weights& weights) : weights_(weights) {}

  /// REQUIRES: `node` outlives the scope, with shape and dtype filled. Throws when its name is
  /// taken or empty.
  void define(const Node& node);

  const Node* find(std::string_view name) const;
  /// Throws for a name that is neither a weight nor a node defined before.
  std::vector<Operand> operands(const Node& node) const;

 private:
  const Weights& weights_;
  std::unordered_map<std::string_view, const Node*> nodes_;
};

/// Dtype and shape of the node's output. Throws Error{InvalidArgument} naming the node for a wrong
/// number of inputs, a wrong kind of attributes, or shapes and dtypes that do not fit.
ValueType infer_node(const Node& node, Operands in);

/// Throws unless operand `i` is a node's f32 output with the batch first and, where `rank` > 0,
/// that many dimensions.
void require_activation(const Node& node, Operands in, size_t i, size_t rank = 0);

// One rule per family; REQUIRES: number of inputs and kind of attributes are right.
ValueType infer_input(const Node& node, Operands in);
ValueType infer_cast(const Node& node, Operands in);
ValueType infer_binary(const Node& node, Operands in);
ValueType infer_conv(const Node& node, Operands in);
ValueType infer_conv_transpose(const Node& node, Operands in);
ValueType infer_gemm(const Node& node, Operands in);
ValueType infer_matmul(const Node& node, Operands in);
ValueType infer_batch_norm(const Node& node, Operands in);
ValueType infer_layer_norm(const Node& node, Operands in);
ValueType infer_prelu(const Node& node, Operands in);
ValueType infer_unary(const Node& node, Operands in);
ValueType infer_pool(const Node& node, Operands in);
ValueType infer_global_pool(const Node& node, Operands in);
ValueType infer_reduce(const Node& node, Operands in);
ValueType infer_pad(const Node& node, Operands in);
ValueType infer_transpose(const Node& node, Operands in);
ValueType infer_recurrent(const Node& node, Operands in);
ValueType infer_resize(const Node& node, Operands in);
ValueType infer_reshape(const Node& node, Operands in);
ValueType infer_slice(const Node& node, Operands in);
ValueType infer_flatten(const Node& node, Operands in);
ValueType infer_concat(const Node& node, Operands in);
ValueType infer_softmax(const Node& node, Operands in);
ValueType infer_quantize(const Node& node, Operands in);
ValueType infer_dequantize(const Node& node, Operands in);

}  // namespace coppice::graph
