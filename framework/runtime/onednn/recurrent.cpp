#include "runtime/onednn/recurrent.h"

#include <algorithm>
#include <cstring>

#include "runtime/onednn/avx512.h"
#include "runtime/onednn/vector_math.h"

namespace coppice::runtime::onednn {

namespace {

using graph::DType;
using Matrix = RecurrentLayer::Matrix;

constexpr int64_t kBlockLanes = 8;  // vectors of sums that stay in registers

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
  float* from_input;  ///< W x + b of a step, by gates
  float* from_state;
  float* h;
  float* cell;
};

template <int64_t kVectors>
COPPICE_LANES_INLINE void multiply_block(
    const float* row, int64_t length, const float* weights, const float* bias, float* to) {
  Lanes sums[kVectors];
  for (int64_t v = 0; v < kVectors; ++v) {
    sums[v] = *reinterpret_cast<const Lanes*>(bias + v * kLaneCount);
  }
  for (int64_t i = 0; i < length; ++i, weights += kVectors * kLaneCount) {
    for (int64_t v = 0; v < kVectors; ++v) {
      sums[v] += row[i] * *reinterpret_cast<const Lanes*>(weights + v * kLaneCount);
    }
  }
  for (int64_t v = 0; v < kVectors; ++v) {
    *reinterpret_cast<Lanes*>(to + v * kLaneCount) = sums[v];
  }
}

/// A row times the matrix, plus its bias.
COPPICE_LANES_INLINE void multiply_row(const float* row, const Matrix& matrix, float* to) {
  const float* weights = reinterpret_cast<const float*>(matrix.values.bytes());
  const float* bias = reinterpret_cast<const float*>(matrix.bias.bytes());
  int64_t column = 0;
  const auto block = [&]<int64_t kVectors>() __attribute__((always_inline)) {
    for (; column + kVectors * kLaneCount <= matrix.columns; column += kVectors * kLaneCount) {
      multiply_block<kVectors>(row, matrix.length, weights, bias + column, to + column);
      weights += matrix.length * kVectors * kLaneCount;
    }
  };
  block.template operator()<kBlockLanes>();
  block.template operator()<kBlockLanes / 2>();
  block.template operator()<2>();
  block.template operator()<1>();
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

COPPICE_LANES_INLINE void walk(const Walk& w) {
  std::fill(w.h, w.h + w.lanes, 0.0F);
  std::fill(w.cell, w.cell + w.lanes, 0.0F);
  for (int64_t i = 0; i < w.steps; ++i) {
    const int64_t step = w.reverse ? w.steps - 1 - i : i;
    multiply_row(w.x + step * w.input->length, *w.input, w.from_input);
    multiply_row(w.h, *w.state, w.from_state);
    if (w.is_lstm) {
      step_lstm(w);
    } else {
      step_gru(w);
    }
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
    int64_t width = kBlockLanes * kLaneCount;
    while (first + width > matrix.columns) {
      width /= 2;
    }
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
  return (2 * input_.columns + 2 * lanes_) * int64_t{sizeof(float)};
}

void RecurrentLayer::run(const float* x, int64_t steps, float* out, float* scratch) const {
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
               scratch + input_.columns,
               scratch + 2 * input_.columns,
               scratch + 2 * input_.columns + lanes_};
  (has_avx512() ? walk_avx512 : walk_anywhere)(w);
}

}  // namespace coppice::runtime::onednn
