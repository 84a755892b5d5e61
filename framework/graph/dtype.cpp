#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "graph/tensor.h"

namespace coppice::graph {

std::string_view to_string(DType dtype) {
  switch (dtype) {
    case DType::F32:
      return "f32";
    case DType::U8:
      return "u8";
    case DType::I8:
      return "i8";
    case DType::I32:
      return "i32";
    case DType::I64:
      return "i64";
  }
  COPPICE_CHECK(false, "dtype outside its enum");
}

int64_t size_bytes(DType dtype) {
  switch (dtype) {
    case DType::U8:
    case DType::I8:
      return 1;
    case DType::F32:
    case DType::I32:
      return 4;
    case DType::I64:
      return 8;
  }
  COPPICE_CHECK(false, "dtype outside its enum");
}

std::string to_string(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

int64_t element_count(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t dimension : shape) {
    if (dimension < 0) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("shape {} has a negative dimension", to_string(shape)));
    }
    if (__builtin_mul_overflow(count, dimension, &count)) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("shape {} has too many elements", to_string(shape)));
    }
  }
  return count;
}

}  // namespace coppice::graph
