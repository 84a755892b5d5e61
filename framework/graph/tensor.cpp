#include "graph/tensor.h"

#include <algorithm>
#include <cstring>
#include <new>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::graph {

namespace {

constexpr std::align_val_t kAlignment{64};

template <class T>
constexpr DType dtype_of();

template <>
constexpr DType dtype_of<float>() {
  return DType::F32;
}

template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::U8;
}

template <>
constexpr DType dtype_of<int8_t>() {
  return DType::I8;
}

template <>
constexpr DType dtype_of<int32_t>() {
  return DType::I32;
}

template <>
constexpr DType dtype_of<int64_t>() {
  return DType::I64;
}

/// Throws when the bytes of `count` elements do not fit in an int64_t.
void check_bytes(DType dtype, int64_t count, const Shape& shape) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(count, size_bytes(dtype), &bytes)) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("shape {} has too many elements", to_string(shape)));
  }
}

void check_dtype(DType have, DType want) {
  if (have != want) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("tensor holds {}, read as {}", to_string(have), to_string(want)));
  }
}

}  // namespace

Tensor::Tensor(DType dtype, Shape shape)
    : dtype_(dtype), shape_(std::move(shape)), size_(element_count(shape_)) {
  check_bytes(dtype_, size_, shape_);
  const auto bytes = static_cast<size_t>(std::max<int64_t>(bytes_size(), 1));
  bytes_ = std::shared_ptr<std::byte>(static_cast<std::byte*>(::operator new(bytes, kAlignment)),
                                      [](std::byte* p) { ::operator delete(p, kAlignment); });
  std::memset(bytes_.get(), 0, bytes);
}

Tensor::Tensor(DType dtype, Shape shape, std::shared_ptr<std::byte> bytes)
    : dtype_(dtype),
      shape_(std::move(shape)),
      size_(element_count(shape_)),
      bytes_(std::move(bytes)) {
  check_bytes(dtype_, size_, shape_);
  if (size_ > 0 && bytes_ == nullptr) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("tensor of shape {} got no memory", to_string(shape_)));
  }
}

template <class T>
Tensor Tensor::from(Shape shape, std::span<const T> values) {
  Tensor tensor(dtype_of<T>(), std::move(shape));
  if (static_cast<size_t>(tensor.size()) != values.size()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("{} values do not fill a tensor of shape {}",
                                  values.size(),
                                  to_string(tensor.shape())));
  }
  std::copy(values.begin(), values.end(), tensor.data<T>().begin());
  return tensor;
}

template <class T>
std::span<T> Tensor::data() {
  check_dtype(dtype_, dtype_of<T>());
  return {reinterpret_cast<T*>(bytes_.get()), static_cast<size_t>(size_)};
}

template <class T>
std::span<const T> Tensor::data() const {
  check_dtype(dtype_, dtype_of<T>());
  return {reinterpret_cast<const T*>(bytes_.get()), static_cast<size_t>(size_)};
}

Tensor Tensor::clone() const {
  Tensor copy(dtype_, shape_);
  if (size_ > 0) {
    std::memcpy(copy.bytes(), bytes(), static_cast<size_t>(bytes_size()));
  }
  return copy;
}

Tensor Tensor::reshaped(Shape shape) const {
  if (element_count(shape) != size_) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format(
            "shape {} does not hold the elements of {}", to_string(shape), to_string(shape_)));
  }
  Tensor view = *this;
  view.shape_ = std::move(shape);
  return view;
}

#define COPPICE_INSTANTIATE(T)                                             \
  template Tensor Tensor::from<T>(Shape shape, std::span<const T> values); \
  template std::span<T> Tensor::data<T>();                                 \
  template std::span<const T> Tensor::data<T>() const;
COPPICE_INSTANTIATE(float)
COPPICE_INSTANTIATE(uint8_t)
COPPICE_INSTANTIATE(int8_t)
COPPICE_INSTANTIATE(int32_t)
COPPICE_INSTANTIATE(int64_t)
#undef COPPICE_INSTANTIATE

}  // namespace coppice::graph
