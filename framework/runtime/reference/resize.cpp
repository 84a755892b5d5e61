#include <algorithm>

#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

namespace {

template <class T>
void nearest(const View& input, const View& output) {
  const int64_t height = input.shape[2];
  const int64_t width = input.shape[3];
  T* out = output.as<T>();
  for (int64_t plane = 0; plane < output.shape[0] * output.shape[1]; ++plane) {
    const T* x = input.as<T>() + plane * height * width;
    for (int64_t h = 0; h < output.shape[2]; ++h) {
      const T* row = x + h * height / output.shape[2] * width;
      for (int64_t w = 0; w < output.shape[3]; ++w) {
        *out++ = row[w * width / output.shape[3]];
      }
    }
  }
}

/// Two neighbours along one side and the weight of the second.
struct Between {
  int64_t low = 0;
  int64_t high = 0;
  float share = 0;
};

Between between(graph::ResizeMode mode, int64_t i, int64_t in, int64_t out) {
  float place = 0;
  if (mode == graph::ResizeMode::Linear) {
    place =
        (static_cast<float>(i) + 0.5F) * (static_cast<float>(in) / static_cast<float>(out)) - 0.5F;
  } else if (out > 1) {
    place = static_cast<float>(i) * (static_cast<float>(in - 1) / static_cast<float>(out - 1));
  }
  place = std::clamp(place, 0.0F, static_cast<float>(in - 1));
  const auto low = static_cast<int64_t>(place);
  return {low, std::min(low + 1, in - 1), place - static_cast<float>(low)};
}

void linear(graph::ResizeMode mode, const View& input, const View& output) {
  const int64_t height = input.shape[2];
  const int64_t width = input.shape[3];
  float* out = output.as<float>();
  for (int64_t plane = 0; plane < output.shape[0] * output.shape[1]; ++plane) {
    const float* x = input.as<float>() + plane * height * width;
    for (int64_t h = 0; h < output.shape[2]; ++h) {
      const Between v = between(mode, h, height, output.shape[2]);
      for (int64_t w = 0; w < output.shape[3]; ++w) {
        const Between u = between(mode, w, width, output.shape[3]);
        const auto along = [&](int64_t row) {
          return x[row * width + u.low] * (1 - u.share) + x[row * width + u.high] * u.share;
        };
        *out++ = along(v.low) * (1 - v.share) + along(v.high) * v.share;
      }
    }
  }
}

}  // namespace

/// Nearest neighbour also takes 8-bit values, as ONNX allows them.
template <>
void compute<Op::Resize>(const graph::Attributes& attributes, Operands inputs, const View& output) {
  const graph::ResizeMode mode = std::get<graph::ResizeAttributes>(attributes).mode;
  require_dtype(*inputs[0], output.dtype);
  if (mode != graph::ResizeMode::Nearest) {
    require_dtype(output, DType::F32);
    return linear(mode, *inputs[0], output);
  }
  switch (output.dtype) {
    case DType::F32:
      return nearest<float>(*inputs[0], output);
    case DType::U8:
    case DType::I8:
      return nearest<uint8_t>(*inputs[0], output);
    case DType::I32:
    case DType::I64:
      require_dtype(*inputs[0], DType::F32);
  }
}

}  // namespace coppice::runtime::reference
