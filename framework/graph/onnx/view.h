#pragma once

#include <string>
#include <vector>

#include "graph/tensor.h"

namespace coppice::graph {

/// What a free batch counts as in the shapes that a file computes: larger than any dimension, so
/// that its multiples tell themselves apart, and small enough to be multiplied by one.
inline constexpr int64_t kSymbolicBatch = int64_t{1} << 32;

/// An ONNX value as the values of a node in another order: dimension d of it runs over the axes
/// dims[d] of the node's output, the first slowest. Axis 0 is the batch; axes in no list have one
/// place. PyTorch puts time before the batch in recurrent layers, and folds heads into it in
/// attention: [time, n * heads, width] is {{2}, {0, 1}, {3}} of a node [n, heads, time, width].
struct View {
  std::string node;
  std::vector<Shape> dims;

  /// Whether dimension 0 is the batch and no other one is.
  bool batch_first() const;

  /// The dimension that the batch is, or is part of.
  size_t batch_dimension() const;

  bool operator==(const View&) const = default;
};

/// A node's output as it is.
View identity_view(std::string node, size_t rank);

/// The ONNX value's shape, the batch counted as `batch`. REQUIRES: `node` is that of the view's.
Shape shape_of(const View& view, const Shape& node, int64_t batch);

/// A node's shape and a view of it that make a view of new shape.
struct Refolded {
  Shape sample;             ///< to reshape the node's sample to first
  std::vector<Shape> dims;  ///< of what results
};

/// How to see `view` as `target` (no free dimension left): neighbouring axes are put into one
/// dimension, single ones cut into several. Empty dims where that takes more than this.
Refolded refold(const View& view, const Shape& node, const Shape& target, int64_t batch);

}  // namespace coppice::graph
