#include "runtime/onednn/recurrent.h"

#include <algorithm>
#include <cstring>

#include "runtime/onednn/avx512.h"
#include "runtime/onednn/vector_math.h"

namespace coppice::runtime::onednn {

namespace {

using graph::DType;
using Matrix = RecurrentLayer::Matrix;

/// Steps whose inputs are multiplied together, so that the weights are read once for them.
constexpr int64_t kStepsAtOnce = 4;

int64_t to_whole_vectors(int64_t count) {
  return (count + kLaneCount - 1) / kLaneCount * kLaneCount;
}

/// Of one direction over one sample.
struct Walk {
  const Matrix* input;
  const Matrix* state;
  bool is_lstm;
  bool reverse;
  int64_t steps;
  int64_t hidden;
  int64_t lanes;
  const float* x;
  float* out;
  float* from_input;  ///< W x + b of kStepsAtOnce steps, each by gates
  float* from_state;
  float* h;
  float* cell;
};

/// kCount rows, `stride` apart, times a block of columns. One row goes by turns to several sums, so
/// that none waits for its last addition.
template <int64_t kVectors, int64_t kCount>
COPPICE_LANES_INLINE void multiply_block(
    const float* row, int64_t stride, const Matrix& matrix, int64_t first, float* to) {
  constexpr int64_t kTurns = kCount > 1 ? 1 : 2 * Matrix::kMostVectors / kVectors;
  const auto* weights =
      reinterpret_cast<const float*>(matrix.values.bytes()) + first * matrix.length;
  const auto* bias = reinterpret_cast<const float*>(matrix.bias.bytes()) + first;
  Lanes sums[kTurns][kCount][kVectors] = {};
  for (int64_t r = 0; r < kCount; ++r) {
    for (int64_t v = 0; v < kVectors; ++v) {
      sums[0][r][v] = *reinterpret_cast<const Lanes*>(bias + v * kLaneCount);
    }
  }
  const auto add = [&](int64_t i, int64_t turn) __attribute__((always_inline)) {
    for (int64_t v = 0; v < kVectors; ++v) {
      const Lanes& weight =
          *reinterpret_cast<const Lanes*>(weights + (i * kVectors + v) * kLaneCount);
      for (int64_t r = 0; r < kCount; ++r) {
        sums[turn][r][v] += row[r * stride + i] * weight;
      }
    }
  };
  int64_t i = 0;
  for (; i + kTurns <= matrix.length; i += kTurns) {
    for (int64_t turn = 0; turn < kTurns; ++turn) {
      add(i + turn, turn);
    }
  }
  for (; i < matrix.length; ++i) {
    add(i, 0);
  }
  for (int64_t r = 0; r < kCount; ++r) {
    for (int64_t v = 0; v < kVectors; ++v) {
      for (int64_t turn = 1; turn < kTurns; ++turn) {
        sums[0][r][v] += sums[turn][r][v];
      }
      *reinterpret_cast<Lanes*>(to + r * matrix.columns + first + v * kLaneCount) = sums[0][r][v];
    }
  }
}

/// Rows times the matrix, plus its bias. `backwards` takes the blocks in the other order: what a
/// cache that is smaller than the matrix still holds of the last product are its last blocks.
template <int64_t kCount>
COPPICE_LANES_INLINE void multiply(
    const float* row, int64_t stride, const Matrix& matrix, bool backwards, float* to) {
  const auto count = static_cast<int64_t>(matrix.blocks.size());
  for (int64_t i = 0; i < count; ++i) {
    const auto& block = matrix.blocks[static_cast<size_t>(backwards ? count - 1 - i : i)];
    if (block.vectors == Matrix::kMostVectors) {
      multiply_block<Matrix::kMostVectors, kCount>(row, stride, matrix, block.first, to);
    } else if (block.vectors == 2) {
      multiply_block<2, kCount>(row, stride, matrix, block.first, to);
    } else {
      multiply_block<1, kCount>(row, stride, matrix, block.first, to);
    }
  }
}

COPPICE_LANES_INLINE Lanes& at(float* values, int64_t i) {
  return *reinterpret_cast<Lanes*>(values + i);
}

/// i, o, f = sigmoid, c' = tanh; c = f c + i c'; h = o tanh(c).
COPPICE_LANES_INLINE void step_lstm(const Walk& w) {
  for (int64_t j = 0; j < w.lanes; j += kLaneCount) {
    Lanes gates[4];
    for (int64_t gate = 0; gate < 4; ++gate) {
      const int64_t place = gate * w.lanes + j;
      gates[gate] = at(w.from_input, place) + at(w.from_state, place);
    }
    sigmoid(gates[0]);
    sigmoid(gates[1]);
    sigmoid(gates[2]);
    hyperbolic_tangent(gates[3]);
    Lanes cell = gates[2] * at(w.cell, j) + gates[0] * gates[3];
    at(w.cell, j) = cell;
    hyperbolic_tangent(cell);
    at(w.h, j) = gates[1] * cell;
  }
}

/// z, r = sigmoid, n = tanh(W x + r (R h)); h = (1 - z) n + z h.
COPPICE_LANES_INLINE void step_gru(const Walk& w) {
  for (int64_t j = 0; j < w.lanes; j += kLaneCount) {
    Lanes update = at(w.from_input, j) + at(w.from_state, j);
    Lanes reset = at(w.from_input, w.lanes + j) + at(w.from_state, w.lanes + j);
    sigmoid(update);
    sigmoid(reset);
    Lanes fresh = at(w.from_input, 2 * w.lanes + j) + reset * at(w.from_state, 2 * w.lanes + j);
    hyperbolic_tangent(fresh);
    at(w.h, j) = (1.0F - update) * fresh + update * at(w.h, j);
  }
}

/// W x + b of kStepsAtOnce steps from `first` on in the walk's direction, or of those that are
/// left.
COPPICE_LANES_INLINE void multiply_inputs(const Walk& w, int64_t first) {
  const int64_t stride = w.reverse ? -w.input->length : w.input->length;
  const float* x = w.x + (w.reverse ? w.steps - 1 - first : first) * w.input->length;
  if (first + kStepsAtOnce <= w.steps) {
    multiply<kStepsAtOnce>(x, stride, *w.input, false, w.from_input);
    return;
  }
  for (int64_t i = first; i < w.steps; ++i, x += stride) {
    multiply<1>(x, 0, *w.input, false, w.from_input + (i - first) * w.input->columns);
  }
}

COPPICE_LANES_INLINE void walk(const Walk& whole) {
  Walk w = whole;
  std::fill(w.h, w.h + w.lanes, 0.0F);
  std::fill(w.cell, w.cell + w.lanes, 0.0F);
  for (int64_t i = 0; i < w.steps; ++i) {
    if (i % kStepsAtOnce == 0) {
      w.from_input = whole.from_input;
      multiply_inputs(w, i);
    } else {
      w.from_input += w.input->columns;
    }
    multiply<1>(w.h, 0, *w.state, i % 2 != 0, w.from_state);
    if (w.is_lstm) {
      step_lstm(w);
    } else {
      step_gru(w);
    }
    const int64_t step = w.reverse ? w.steps - 1 - i : i;
    std::memcpy(w.out + step * w.hidden, w.h, static_cast<size_t>(w.hidden) * sizeof(float));
  }
}

void walk_anywhere(const Walk& w) {
  walk(w);
}

#if defined(__x86_64__) && defined(__GNUC__)
COPPICE_AVX512 void walk_avx512(const Walk& w) {
  walk(w);
}
#else
void walk_avx512(const Walk& w) {
  walk(w);
}
#endif

}  // namespace

RecurrentLayer::RecurrentLayer(const Recurrent& stage)
    : is_lstm_(stage.is_lstm),
      reverse_(stage.reverse),
      in_(stage.weight.dim(2)),
      hidden_(stage.recurrent.dim(2)),
      gates_(stage.weight.dim(1) / hidden_),
      lanes_(to_whole_vectors(hidden_)) {
  const float* bias = stage.bias.empty() ? nullptr : stage.bias.data<float>().data();
  input_ = pack(stage.weight, bias);
  state_ = pack(stage.recurrent, bias == nullptr ? nullptr : bias + gates_ * hidden_);
}

RecurrentLayer::Matrix RecurrentLayer::pack(const graph::Tensor& weight, const float* bias) const {
  Matrix matrix;
  matrix.length = weight.dim(2);
  matrix.columns = gates_ * lanes_;
  matrix.values = graph::Tensor(DType::F32, {matrix.length, matrix.columns});
  matrix.bias = graph::Tensor(DType::F32, {matrix.columns});
  const float* from = weight.data<float>().data();
  const auto values = matrix.values.data<float>();
  int64_t first = 0;
  while (first < matrix.columns) {
    int64_t width = Matrix::kMostVectors * kLaneCount;
    while (first + width > matrix.columns) {
      width /= 2;
    }
    matrix.blocks.push_back({first, width / kLaneCount});
    for (int64_t i = 0; i < matrix.length; ++i) {
      for (int64_t column = first; column < first + width; ++column) {
        const int64_t gate = column / lanes_;
        const int64_t unit = column % lanes_;
        if (unit < hidden_) {
          const int64_t row = gate * hidden_ + unit;
          const int64_t place = first * matrix.length + i * width + column - first;
          values[static_cast<size_t>(place)] = from[row * matrix.length + i];
          matrix.bias.data<float>()[static_cast<size_t>(column)] = bias == nullptr ? 0 : bias[row];
        }
      }
    }
    first += width;
  }
  return matrix;
}

int64_t RecurrentLayer::scratch_bytes() const {
  return ((kStepsAtOnce + 1) * input_.columns + 2 * lanes_) * int64_t{sizeof(float)};
}

void RecurrentLayer::run(const float* x, int64_t steps, float* out, float* scratch) const {
  float* from_state = scratch + kStepsAtOnce * input_.columns;
  float* h = from_state + state_.columns;
  const Walk w{&input_,
               &state_,
               is_lstm_,
               reverse_,
               steps,
               hidden_,
               lanes_,
               x,
               out,
               scratch,
               from_state,
               h,
               h + lanes_};
  (has_avx512() ? walk_avx512 : walk_anywhere)(w);
}

}  // namespace coppice::runtime::onednn
