#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

namespace {

template <class T>
void repeat_pixels(const graph::Shape& scale, const View& input, const View& output) {
  const int64_t height = input.shape[2];
  const int64_t width = input.shape[3];
  T* out = output.as<T>();
  for (int64_t plane = 0; plane < output.shape[0] * output.shape[1]; ++plane) {
    const T* x = input.as<T>() + plane * height * width;
    for (int64_t h = 0; h < output.shape[2]; ++h) {
      const T* row = x + h / scale[0] * width;
      for (int64_t w = 0; w < output.shape[3]; ++w) {
        *out++ = row[w / scale[1]];
      }
    }
  }
}

}  // namespace

/// Nearest neighbour by whole factors; 8-bit values, as ONNX allows them, too.
template <>
void compute<Op::Resize>(const graph::Attributes& attributes, Operands inputs, const View& output) {
  const graph::Shape& scale = std::get<graph::ResizeAttributes>(attributes).scale;
  require_dtype(*inputs[0], output.dtype);
  switch (output.dtype) {
    case DType::F32:
      return repeat_pixels<float>(scale, *inputs[0], output);
    case DType::U8:
    case DType::I8:
      return repeat_pixels<uint8_t>(scale, *inputs[0], output);
    case DType::I32:
    case DType::I64:
      require_dtype(*inputs[0], DType::F32);
  }
}

}  // namespace coppice::runtime::reference
