#include <cmath>
#include <limits>

#include "core/error.h"
#include "runtime/reference/kernel.h"
#include "runtime/rounding.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

namespace {

int32_t zero_point_at(const View& zero_point, int64_t i) {
  switch (zero_point.dtype) {
    case DType::U8:
      return zero_point.as<uint8_t>()[i];
    case DType::I8:
      return zero_point.as<int8_t>()[i];
    case DType::I32:
      return zero_point.as<int32_t>()[i];
    case DType::F32:
    case DType::I64:
      break;
  }
  require_dtype(zero_point, DType::U8);
  return 0;
}

/// Calls row(begin, end, scale, zero point) for every run of elements that share a scale.
template <class Row>
void for_each_scale(const graph::Attributes& attributes,
                    Operands inputs,
                    const View& output,
                    Row row) {
  require_dtype(*inputs[1], DType::F32);
  const float* scales = inputs[1]->as<float>();
  const int64_t scale_count = inputs[1]->size();
  const int64_t count = output.size();
  int64_t inner = count;
  if (scale_count > 1) {
    const auto axis = static_cast<size_t>(std::get<graph::AxisAttributes>(attributes).axis);
    inner = 1;
    for (size_t i = axis + 1; i < output.shape.size(); ++i) {
      inner *= output.shape[i];
    }
  }
  for (int64_t begin = 0, i = 0; begin < count; begin += inner, ++i) {
    const int64_t slot = i % scale_count;
    row(begin, begin + inner, scales[slot], zero_point_at(*inputs[2], slot));
  }
}

template <class T>
void quantise(const graph::Attributes& attributes, Operands inputs, const View& output) {
  const float* x = inputs[0]->as<float>();
  T* out = output.as<T>();
  for_each_scale(
      attributes, inputs, output, [&](int64_t begin, int64_t end, float scale, int32_t zero) {
        for (int64_t i = begin; i < end; ++i) {
          out[i] = round_saturate<T>(x[i] / scale, zero);
        }
      });
}

template <class T>
void dequantise(const graph::Attributes& attributes, Operands inputs, const View& output) {
  const T* x = inputs[0]->as<T>();
  float* out = output.as<float>();
  for_each_scale(
      attributes, inputs, output, [&](int64_t begin, int64_t end, float scale, int32_t zero) {
        for (int64_t i = begin; i < end; ++i) {
          out[i] = static_cast<float>(int32_t{x[i]} - zero) * scale;
        }
      });
}

}  // namespace

/// saturate(round(x / scale) + zero point), ties to even. The zero point's dtype is the output's.
template <>
void compute<Op::QuantizeLinear>(const graph::Attributes& attributes,
                                 Operands inputs,
                                 const View& output) {
  require_dtype(*inputs[0], DType::F32);
  if (output.dtype == DType::U8) {
    return quantise<uint8_t>(attributes, inputs, output);
  }
  require_dtype(output, DType::I8);
  quantise<int8_t>(attributes, inputs, output);
}

/// (x - zero point) * scale.
template <>
void compute<Op::DequantizeLinear>(const graph::Attributes& attributes,
                                   Operands inputs,
                                   const View& output) {
  require_dtype(output, DType::F32);
  switch (inputs[0]->dtype) {
    case DType::U8:
      return dequantise<uint8_t>(attributes, inputs, output);
    case DType::I8:
      return dequantise<int8_t>(attributes, inputs, output);
    case DType::I32:
      return dequantise<int32_t>(attributes, inputs, output);
    case DType::F32:
    case DType::I64:
      require_dtype(*inputs[0], DType::U8);
  }
}

}  // namespace coppice::runtime::reference
