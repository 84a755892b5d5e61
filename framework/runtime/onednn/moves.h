#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/graph.h"

/// What the reference kernels of Pad and ReduceMean compute value by value, row by row.
namespace coppice::runtime::onednn {

/// Pad of dense row-major floats.
class PaddedRows {
 public:
  PaddedRows(const graph::PadAttributes& pad, const graph::Shape& x, const graph::Shape& out);

  void run(const float* x, float* out) const;

 private:
  float value_ = 0;
  int64_t first_ = 0;  ///< columns [first, last) of an output row lie in its input row as they are
  int64_t last_ = 0;
  std::vector<int64_t> rows_;     ///< where the row of every output row lies, -1 for none
  std::vector<int64_t> columns_;  ///< the same within a row
};

/// The mean over dimensions that lie side by side: [outer, count, inner] to [outer, inner].
struct MeanRows {
  int64_t outer = 1;
  int64_t count = 1;
  int64_t inner = 1;

  /// Sums in doubles, as the reference does.
  void run(const float* x, float* out) const;
};

/// nullopt where other dimensions lie between the axes.
std::optional<MeanRows> mean_rows(const graph::Shape& axes, const graph::Shape& x);

}  // namespace coppice::runtime::onednn
