#pragma once

#include <cstdint>
#include <vector>

#include "runtime/onednn/stage.h"

namespace coppice::runtime::onednn {

/// LSTM and GRU over sequences of floats, as the reference kernels define them; results differ by
/// the rounding of sums and some 1e-7 in a gate.
///
/// Compiled for AVX-512 and for the plain processor; whichever the machine has runs.
class RecurrentLayer {
 public:
  explicit RecurrentLayer(const Recurrent& stage);

  int64_t scratch_bytes() const;  ///< 64-byte aligned

  /// One sample: `x` [steps, in] to `out` [steps, hidden].
  void run(const float* x, int64_t steps, float* out, float* scratch) const;

  int64_t in() const { return in_; }

  int64_t hidden() const { return hidden_; }

  struct Block {
    int64_t first = 0;  ///< column
    int64_t vectors = 0;
  };

  /// Weights [gates * hidden, length] as a row is multiplied with them: [block][length][width]; a
  /// gate's columns are filled up with zeros to whole vectors.
  struct Matrix {
    static constexpr int64_t kMostVectors = 4;  ///< 4, 2 or 1 vectors of columns are a block

    int64_t length = 0;
    int64_t columns = 0;
    std::vector<Block> blocks;
    graph::Tensor values;
    graph::Tensor bias;
  };

 private:
  Matrix pack(const graph::Tensor& weight, const float* bias) const;

  bool is_lstm_ = false;
  bool reverse_ = false;
  int64_t in_ = 0;
  int64_t hidden_ = 0;
  int64_t gates_ = 0;
  int64_t lanes_ = 0;  ///< of a gate
  Matrix input_;
  Matrix state_;
};

}  // namespace coppice::runtime::onednn
