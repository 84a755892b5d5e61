#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "core/error.h"
#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

namespace {

/// Calls `store(window sums' inputs)` for every output place: `fold(accumulator, value)` over the
/// window's places inside the image, then `finish(accumulator, places)`.
template <class T, class Accumulator, class Fold, class Finish>
void pool(const graph::PoolAttributes& pool,
          const View& input,
          const View& output,
          Accumulator first,
          Fold fold,
          Finish finish) {
  const int64_t height = input.shape[2];
  const int64_t width = input.shape[3];
  T* out = output.as<T>();
  for (int64_t plane = 0; plane < output.shape[0] * output.shape[1]; ++plane) {
    const T* x = input.as<T>() + plane * height * width;
    for (int64_t oh = 0; oh < output.shape[2]; ++oh) {
      const int64_t top = oh * pool.stride[0] - pool.pads[0];
      for (int64_t ow = 0; ow < output.shape[3]; ++ow) {
        const int64_t left = ow * pool.stride[1] - pool.pads[1];
        const int64_t bottom = std::min(top + pool.kernel[0], height);
        const int64_t right = std::min(left + pool.kernel[1], width);
        Accumulator accumulator = first;
        int64_t places = 0;
        for (int64_t h = std::max<int64_t>(top, 0); h < bottom; ++h) {
          for (int64_t w = std::max<int64_t>(left, 0); w < right; ++w) {
            accumulator = fold(accumulator, x[h * width + w]);
            ++places;
          }
        }
        *out++ = finish(accumulator, places);
      }
    }
  }
}

template <class T>
void max_pool(const graph::PoolAttributes& attributes, const View& input, const View& output) {
  using Limits = std::numeric_limits<T>;
  const T lowest = Limits::has_infinity ? static_cast<T>(-Limits::infinity()) : Limits::lowest();
  pool<T>(
      attributes,
      input,
      output,
      lowest,
      [](T a, T b) { return std::max(a, b); },
      [](T value, int64_t) { return value; });
}

}  // namespace

/// Padding never wins. 8-bit values, as ONNX allows them, too.
template <>
void compute<Op::MaxPool>(const graph::Attributes& attributes,
                          Operands inputs,
                          const View& output) {
  const auto& pool_attributes = std::get<graph::PoolAttributes>(attributes);
  require_dtype(*inputs[0], output.dtype);
  switch (output.dtype) {
    case DType::F32:
      return max_pool<float>(pool_attributes, *inputs[0], output);
    case DType::U8:
      return max_pool<uint8_t>(pool_attributes, *inputs[0], output);
    case DType::I8:
      return max_pool<int8_t>(pool_attributes, *inputs[0], output);
    case DType::I32:
    case DType::I64:
      require_dtype(*inputs[0], DType::F32);
  }
}

/// Padding doesn't count (count_include_pad = 0, ONNX's default).
template <>
void compute<Op::AveragePool>(const graph::Attributes& attributes,
                              Operands inputs,
                              const View& output) {
  require_dtype(*inputs[0], DType::F32);
  pool<float>(
      std::get<graph::PoolAttributes>(attributes),
      *inputs[0],
      output,
      0.0,
      [](double sum, float value) { return sum + value; },
      [](double sum, int64_t places) {
        return static_cast<float>(sum / static_cast<double>(std::max<int64_t>(places, 1)));
      });
}

template <>
void compute<Op::GlobalAveragePool>(const graph::Attributes&, Operands inputs, const View& output) {
  require_dtype(*inputs[0], DType::F32);
  const int64_t planes = output.size();
  const int64_t pixels = inputs[0]->size() / planes;
  for (int64_t plane = 0; plane < planes; ++plane) {
    const float* x = inputs[0]->as<float>() + plane * pixels;
    double sum = 0;
    for (int64_t i = 0; i < pixels; ++i) {
      sum += x[i];
    }
    output.as<float>()[plane] = static_cast<float>(sum / static_cast<double>(pixels));
  }
}

}  // namespace coppice::runtime::reference
