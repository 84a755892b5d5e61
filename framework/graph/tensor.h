#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coppice::graph {

enum class DType { F32, U8, I8, I32, I64 };

std::string_view to_string(DType dtype);  ///< "f32", "u8", "i8", "i32", "i64"
int64_t size_bytes(DType dtype);          ///< of one element

using Shape = std::vector<int64_t>;

std::string to_string(const Shape& shape);  ///< "[1, 28, 28]"

/// Product of the dimensions, 1 for a scalar. Throws Error{InvalidArgument} when one is negative or
/// the product overflows.
int64_t element_count(const Shape& shape);

/// Dense row-major values. Copies share the bytes; whoever changes a tensor that may be shared
/// clones it first. The only tensor that crosses module borders.
class Tensor {
 public:
  Tensor() = default;                ///< empty: f32, shape [0]
  Tensor(DType dtype, Shape shape);  ///< zero-filled, 64-byte aligned
  /// Takes part in the ownership of memory from elsewhere (a mapped file, another library's
  /// tensor).
  Tensor(DType dtype, Shape shape, std::shared_ptr<std::byte> bytes);

  template <class T>
  static Tensor from(Shape shape, std::span<const T> values);

  DType dtype() const { return dtype_; }

  const Shape& shape() const { return shape_; }

  int64_t dim(size_t i) const { return shape_.at(i); }

  int64_t size() const { return size_; }  ///< elements

  int64_t bytes_size() const { return size_ * size_bytes(dtype_); }

  bool empty() const { return size_ == 0; }

  std::byte* bytes() { return bytes_.get(); }

  const std::byte* bytes() const { return bytes_.get(); }

  const std::shared_ptr<std::byte>& shared_bytes() const { return bytes_; }

  /// The elements as T (float, uint8_t, int8_t, int32_t, int64_t). Throws Error{InvalidArgument}
  /// for another dtype.
  template <class T>
  std::span<T> data();
  template <class T>
  std::span<const T> data() const;

  Tensor clone() const;
  Tensor reshaped(Shape shape) const;  ///< shares the bytes; same element count

 private:
  DType dtype_ = DType::F32;
  Shape shape_{0};
  int64_t size_ = 0;
  std::shared_ptr<std::byte> bytes_;
};

}  // namespace coppice::graph
