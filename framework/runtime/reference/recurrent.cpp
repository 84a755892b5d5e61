// The state of a cell waits where the next step's output will lie, so that no memory is needed
// beside the output's.

#include <cmath>

#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

namespace {

float sigmoid(float x) {
  return 1 / (1 + std::exp(-x));
}

/// One direction over one sample.
struct Sequence {
  const View& weight;
  const View& recurrent;
  const float* bias;  ///< of the input's and of the state's products; nullptr for none
  const float* x;
  float* out;
  int64_t steps;
  int64_t in;
  int64_t hidden;
  bool reverse;

  int64_t at(int64_t step) const { return reverse ? steps - 1 - step : step; }

  float* output(int64_t step) const { return out + at(step) * hidden; }

  /// Row `gate * hidden + unit` of W x + its bias.
  float from_input(int64_t step, int64_t row) const {
    const float* w = weight.as<float>() + row * in;
    const float* values = x + at(step) * in;
    float sum = bias == nullptr ? 0 : bias[row];
    for (int64_t i = 0; i < in; ++i) {
      sum += w[i] * values[i];
    }
    return sum;
  }

  /// The same row of R h + its bias; h is 0 before the first step.
  float from_state(int64_t step, int64_t row, int64_t gates) const {
    const float* r = recurrent.as<float>() + row * hidden;
    float sum = bias == nullptr ? 0 : bias[gates * hidden + row];
    if (step > 0) {
      const float* state = output(step - 1);
      for (int64_t i = 0; i < hidden; ++i) {
        sum += r[i] * state[i];
      }
    }
    return sum;
  }

  float sum(int64_t step, int64_t row, int64_t gates) const {
    return from_input(step, row) + from_state(step, row, gates);
  }
};

template <class Run>
void for_each_sequence(const graph::Attributes& attributes,
                       Operands inputs,
                       const View& output,
                       Run run) {
  for (const View* input : inputs) {
    require_dtype(*input, DType::F32);
  }
  const graph::Shape& x = inputs[0]->shape;
  const int64_t hidden = output.shape[2];
  for (int64_t n = 0; n < x[0]; ++n) {
    run(Sequence{*inputs[1],
                 *inputs[2],
                 inputs.size() > 3 ? inputs[3]->as<float>() : nullptr,
                 inputs[0]->as<float>() + n * x[1] * x[2],
                 output.as<float>() + n * x[1] * hidden,
                 x[1],
                 x[2],
                 hidden,
                 std::get<graph::RecurrentAttributes>(attributes).reverse});
  }
}

}  // namespace

/// i, o, f = sigmoid, c' = tanh; c = f c + i c'; h = o tanh(c) (Hochreiter & Schmidhuber, 1997).
template <>
void compute<Op::Lstm>(const graph::Attributes& attributes, Operands inputs, const View& output) {
  constexpr int64_t kGates = 4;
  for_each_sequence(attributes, inputs, output, [](const Sequence& s) {
    for (int64_t step = 0; step < s.steps; ++step) {
      for (int64_t j = 0; j < s.hidden; ++j) {
        const float i = sigmoid(s.sum(step, j, kGates));
        const float o = sigmoid(s.sum(step, s.hidden + j, kGates));
        const float f = sigmoid(s.sum(step, 2 * s.hidden + j, kGates));
        const float fresh = std::tanh(s.sum(step, 3 * s.hidden + j, kGates));
        const float before = step == 0 ? 0 : s.output(step)[j];
        const float cell = f * before + i * fresh;
        s.output(step)[j] = o * std::tanh(cell);
        if (step + 1 < s.steps) {
          s.output(step + 1)[j] = cell;
        }
      }
    }
  });
}

/// z, r = sigmoid, n = tanh(W x + r (R h)); h = (1 - z) n + z h (Cho et al., EMNLP 2014, with the
/// reset gate behind the product as in cuDNN and PyTorch).
template <>
void compute<Op::Gru>(const graph::Attributes& attributes, Operands inputs, const View& output) {
  constexpr int64_t kGates = 3;
  for_each_sequence(attributes, inputs, output, [](const Sequence& s) {
    for (int64_t step = 0; step < s.steps; ++step) {
      for (int64_t j = 0; j < s.hidden; ++j) {
        const float z = sigmoid(s.sum(step, j, kGates));
        const float r = sigmoid(s.sum(step, s.hidden + j, kGates));
        const int64_t row = 2 * s.hidden + j;
        const float fresh =
            std::tanh(s.from_input(step, row) + r * s.from_state(step, row, kGates));
        const float before = step == 0 ? 0 : s.output(step - 1)[j];
        s.output(step)[j] = (1 - z) * fresh + z * before;
      }
    }
  });
}

}  // namespace coppice::runtime::reference
