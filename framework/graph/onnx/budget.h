#pragma once

#include <cstdint>

#include <onnx/onnx_pb.h>

#include "graph/tensor.h"

namespace coppice::graph {

/// No constant that a file computes has more values, unless it is moved from a larger one.
inline constexpr int64_t kMostFoldedValues = int64_t{1} << 20;

/// Memory that an import takes for what the file does not hold as it is: folded constants,
/// transposed weights, scales that are left out, names of the nodes that one of the file becomes.
/// Without a limit a few hundred bytes make gigabytes.
class Budget {
 public:
  /// For a file of this size.
  explicit Budget(int64_t file_bytes);

  /// Data beside the file that was read, too.
  void add_file(int64_t bytes);

  /// False when all that was taken so far and this exceed the budget.
  bool take(int64_t bytes);

  int64_t limit_mib() const;

  /// Zero-filled. Throws Error{Unsupported} naming the node, before allocation, where it does not
  /// fit.
  Tensor tensor(const onnx::NodeProto& node, DType dtype, Shape shape);

 private:
  int64_t limit_;
  int64_t left_;
};

}  // namespace coppice::graph
