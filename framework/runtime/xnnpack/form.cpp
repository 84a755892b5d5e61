#include "runtime/xnnpack/form.h"

#include <algorithm>
#include <cstring>

#include <xnnpack.h>

namespace coppice::runtime::xnnpack {

namespace {

using graph::DType;
using graph::Shape;
using graph::Tensor;

constexpr uint8_t kFlippedBit = 0x80;

/// Squares that stay in the first-level cache, so that neither side jumps for each element.
template <class T>
void transpose(const T* from, T* to, int64_t rows, int64_t columns, T flip) {
  constexpr int64_t kSide = 32;
  for (int64_t r0 = 0; r0 < rows; r0 += kSide) {
    const int64_t r1 = std::min(r0 + kSide, rows);
    for (int64_t c0 = 0; c0 < columns; c0 += kSide) {
      const int64_t c1 = std::min(c0 + kSide, columns);
      for (int64_t c = c0; c < c1; ++c) {
        for (int64_t r = r0; r < r1; ++r) {
          to[c * rows + r] = static_cast<T>(from[r * columns + c] ^ flip);
        }
      }
    }
  }
}

}  // namespace

int64_t sample_size(const Shape& shape) {
  int64_t size = 1;
  for (size_t i = 1; i < shape.size(); ++i) {
    size *= shape[i];
  }
  return size;
}

bool is_transposed(const Shape& shape) {
  return shape.size() == 4 && shape[1] > 1 && shape[2] * shape[3] > 1;
}

Conversion conversion(const graph::Node& value, Form to) {
  Conversion result;
  result.dtype = value.dtype;
  result.flips = value.dtype == DType::U8;
  result.rows = sample_size(value.shape);
  if (is_transposed(value.shape)) {
    result.rows = value.shape[1];
    result.columns = value.shape[2] * value.shape[3];
    if (to == Form::Plain) {
      std::swap(result.rows, result.columns);
    }
  }
  return result;
}

void Conversion::run(const std::byte* from, std::byte* to, int64_t samples) const {
  const int64_t sample_bytes = rows * columns * graph::size_bytes(dtype);
  if (is_copy()) {
    std::memcpy(to, from, static_cast<size_t>(samples * sample_bytes));
    return;
  }
  for (int64_t i = 0; i < samples; ++i, from += sample_bytes, to += sample_bytes) {
    if (graph::size_bytes(dtype) == 1) {
      transpose(reinterpret_cast<const uint8_t*>(from),
                reinterpret_cast<uint8_t*>(to),
                rows,
                columns,
                flips ? kFlippedBit : uint8_t{0});
    } else if (graph::size_bytes(dtype) == 4) {
      transpose(reinterpret_cast<const uint32_t*>(from),
                reinterpret_cast<uint32_t*>(to),
                rows,
                columns,
                uint32_t{0});
    } else {
      transpose(reinterpret_cast<const uint64_t*>(from),
                reinterpret_cast<uint64_t*>(to),
                rows,
                columns,
                uint64_t{0});
    }
  }
}

Shape native_shape(const Shape& shape) {
  return shape.size() == 4 ? Shape{shape[0], shape[2], shape[3], shape[1]} : shape;
}

Tensor native_constant(const Tensor& constant, size_t rank) {
  Shape shape = constant.shape().empty() ? Shape{1} : constant.shape();
  if (rank == 4) {
    shape.insert(shape.begin(), 4 - shape.size(), 1);
  }
  Tensor padded(constant.dtype(), {constant.bytes_size() / 4 + XNN_EXTRA_BYTES});
  const int64_t channels = rank == 4 ? shape[1] : 1;
  const int64_t pixels = rank == 4 ? shape[2] * shape[3] : sample_size(shape);
  const int64_t samples = shape[0];
  Conversion{constant.dtype(), channels, pixels, false}.run(
      constant.bytes(), padded.bytes(), samples);
  return Tensor(constant.dtype(), native_shape(shape), padded.shared_bytes());
}

}  // namespace coppice::runtime::xnnpack
