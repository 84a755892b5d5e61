#include <algorithm>
#include <cmath>

#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

namespace {

template <class F>
void map(Operands inputs, const View& output, F function) {
  require_dtype(*inputs[0], DType::F32);
  const float* x = inputs[0]->as<float>();
  float* out = output.as<float>();
  const int64_t count = output.size();
  for (int64_t i = 0; i < count; ++i) {
    out[i] = function(x[i]);
  }
}

}  // namespace

template <>
void compute<Op::Relu>(const graph::Attributes&, Operands inputs, const View& output) {
  map(inputs, output, [](float x) { return x < 0 ? 0 : x; });
}

template <>
void compute<Op::LeakyRelu>(const graph::Attributes& attributes,
                            Operands inputs,
                            const View& output) {
  const float slope = std::get<graph::LeakyReluAttributes>(attributes).slope;
  map(inputs, output, [=](float x) { return x < 0 ? slope * x : x; });
}

template <>
void compute<Op::Clip>(const graph::Attributes& attributes, Operands inputs, const View& output) {
  const auto [low, high] = std::get<graph::ClipAttributes>(attributes);
  map(inputs, output, [low = low, high = high](float x) {
    return x < low ? low : x > high ? high : x;  // a NaN stays one
  });
}

template <>
void compute<Op::Sigmoid>(const graph::Attributes&, Operands inputs, const View& output) {
  map(inputs, output, [](float x) { return 1 / (1 + std::exp(-x)); });
}

template <>
void compute<Op::Tanh>(const graph::Attributes&, Operands inputs, const View& output) {
  map(inputs, output, [](float x) { return std::tanh(x); });
}

/// x max(0, min(1, x / 6 + 1 / 2)) (Howard et al., ICCV 2019).
template <>
void compute<Op::HardSwish>(const graph::Attributes&, Operands inputs, const View& output) {
  map(inputs, output, [](float x) { return x * std::clamp(x / 6 + 0.5F, 0.0F, 1.0F); });
}

template <>
void compute<Op::Erf>(const graph::Attributes&, Operands inputs, const View& output) {
  map(inputs, output, [](float x) { return std::erf(x); });
}

/// Along the axis; shifted by the largest value, so that it never overflows.
template <>
void compute<Op::Softmax>(const graph::Attributes& attributes,
                          Operands inputs,
                          const View& output) {
  require_dtype(*inputs[0], DType::F32);
  const auto axis = static_cast<size_t>(std::get<graph::AxisAttributes>(attributes).axis);
  const int64_t length = output.shape[axis];
  int64_t inner = 1;
  for (size_t i = axis + 1; i < output.shape.size(); ++i) {
    inner *= output.shape[i];
  }
  const int64_t outer = output.size() / (length * inner);
  for (int64_t row = 0; row < outer * inner; ++row) {
    const int64_t start = row / inner * length * inner + row % inner;
    const float* x = inputs[0]->as<float>() + start;
    float* out = output.as<float>() + start;
    float highest = x[0];
    for (int64_t i = 1; i < length; ++i) {
      highest = std::max(highest, x[i * inner]);
    }
    double sum = 0;
    for (int64_t i = 0; i < length; ++i) {
      out[i * inner] = std::exp(x[i * inner] - highest);
      sum += out[i * inner];
    }
    for (int64_t i = 0; i < length; ++i) {
      out[i * inner] = static_cast<float>(out[i * inner] / sum);
    }
  }
}

/// scale * (x - mean) / sqrt(variance + epsilon) + bias, per channel (dimension 1).
template <>
void compute<Op::BatchNorm>(const graph::Attributes& attributes,
                            Operands inputs,
                            const View& output) {
  for (const View* input : inputs) {
    require_dtype(*input, DType::F32);
  }
  const float epsilon = std::get<graph::BatchNormAttributes>(attributes).epsilon;
  const int64_t channels = output.shape[1];
  const int64_t inner = output.size() / (output.shape[0] * channels);
  for (int64_t row = 0; row < output.shape[0] * channels; ++row) {
    const int64_t c = row % channels;
    const float factor = inputs[1]->as<float>()[c] / std::sqrt(inputs[4]->as<float>()[c] + epsilon);
    const float mean = inputs[3]->as<float>()[c];
    const float bias = inputs[2]->as<float>()[c];
    const float* x = inputs[0]->as<float>() + row * inner;
    float* out = output.as<float>() + row * inner;
    for (int64_t i = 0; i < inner; ++i) {
      out[i] = (x[i] - mean) * factor + bias;
    }
  }
}

}  // namespace coppice::runtime::reference
