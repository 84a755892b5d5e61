#include "graph/onnx/tensor_proto.h"

#include <bit>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/onnx/external_data.h"
#include "graph/shapes/rules.h"

namespace coppice::graph {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

namespace {

[[noreturn]] void corrupt(std::string_view name, const std::string& why) {
  throw core::Error(core::ErrorKind::Corrupt, fmt::format("ONNX tensor '{}': {}", name, why));
}

/// Throws unless the field holds one value per element, each within the range of T.
template <class T, class Field>
Tensor from_field(const Field& field, Shape shape, std::string_view name) {
  if (std::cmp_not_equal(field.size(), element_count(shape))) {
    corrupt(name, fmt::format("{} values for shape {}", field.size(), to_string(shape)));
  }
  std::vector<T> values;
  values.reserve(static_cast<size_t>(field.size()));
  for (const auto value : field) {
    if constexpr (std::is_integral_v<T>) {
      if (!std::in_range<T>(value)) {
        corrupt(name, fmt::format("value {} is out of range", value));
      }
    }
    values.push_back(static_cast<T>(value));
  }
  return Tensor::from<T>(std::move(shape), values);
}

/// Throws for more dimensions, or larger ones, than any tensor here has.
Shape shape_from(const onnx::TensorProto& proto, std::string_view name) {
  if (std::cmp_greater(proto.dims_size(), kMostDimensions)) {
    corrupt(name, fmt::format("{} dimensions, at most {}", proto.dims_size(), kMostDimensions));
  }
  Shape shape(proto.dims().begin(), proto.dims().end());
  try {
    element_count(shape);
  } catch (const core::Error& error) {
    corrupt(name, error.what());
  }
  for (const int64_t dimension : shape) {
    if (dimension > kLargestDimension) {
      corrupt(name, fmt::format("dimension {} is too large", dimension));
    }
  }
  return shape;
}

Tensor from_raw(const std::string& raw, DType dtype, Shape shape, std::string_view name) {
  const int64_t count = element_count(shape);
  const auto available = static_cast<int64_t>(raw.size());
  if (count > available || count * size_bytes(dtype) != available) {
    corrupt(name,
            fmt::format("{} bytes for {} {}", raw.size(), to_string(dtype), to_string(shape)));
  }
  Tensor tensor(dtype, std::move(shape));
  std::memcpy(tensor.bytes(), raw.data(), raw.size());
  return tensor;
}

}  // namespace

int32_t to_onnx_dtype(DType dtype) {
  switch (dtype) {
    case DType::F32:
      return onnx::TensorProto::FLOAT;
    case DType::U8:
      return onnx::TensorProto::UINT8;
    case DType::I8:
      return onnx::TensorProto::INT8;
    case DType::I32:
      return onnx::TensorProto::INT32;
    case DType::I64:
      return onnx::TensorProto::INT64;
  }
  COPPICE_CHECK(false, "dtype outside its enum");
}

DType from_onnx_dtype(int32_t type, std::string_view what) {
  for (const DType dtype : {DType::F32, DType::U8, DType::I8, DType::I32, DType::I64}) {
    if (to_onnx_dtype(dtype) == type) {
      return dtype;
    }
  }
  throw core::Error(
      core::ErrorKind::Unsupported,
      fmt::format("{} has ONNX data type {}; supported: f32, u8, i8, i32, i64", what, type));
}

onnx::TensorProto to_onnx_tensor(const std::string& name, const Tensor& tensor) {
  onnx::TensorProto proto;
  proto.set_name(name);
  proto.set_data_type(to_onnx_dtype(tensor.dtype()));
  for (const int64_t dimension : tensor.shape()) {
    proto.add_dims(dimension);
  }
  proto.set_raw_data(tensor.bytes(), static_cast<size_t>(tensor.bytes_size()));
  return proto;
}

bool is_external(const onnx::TensorProto& proto) {
  return proto.data_location() == onnx::TensorProto::EXTERNAL || proto.external_data_size() > 0;
}

Tensor from_onnx_tensor(const onnx::TensorProto& proto,
                        std::string_view name,
                        ExternalFolder* folder) {
  if (proto.has_segment() || (is_external(proto) && folder == nullptr)) {
    throw core::Error(
        core::ErrorKind::Unsupported,
        fmt::format("ONNX tensor '{}' keeps its data outside; store it in the file", name));
  }
  const DType dtype = from_onnx_dtype(proto.data_type(), fmt::format("ONNX tensor '{}'", name));
  Shape shape = shape_from(proto, name);
  if (is_external(proto)) {
    return folder->read(proto, dtype, std::move(shape), name);
  }
  if (proto.has_raw_data()) {
    return from_raw(proto.raw_data(), dtype, std::move(shape), name);
  }
  switch (dtype) {
    case DType::F32:
      return from_field<float>(proto.float_data(), std::move(shape), name);
    case DType::U8:
      return from_field<uint8_t>(proto.int32_data(), std::move(shape), name);
    case DType::I8:
      return from_field<int8_t>(proto.int32_data(), std::move(shape), name);
    case DType::I32:
      return from_field<int32_t>(proto.int32_data(), std::move(shape), name);
    case DType::I64:
      return from_field<int64_t>(proto.int64_data(), std::move(shape), name);
  }
  COPPICE_CHECK(false, "dtype outside its enum");
}

}  // namespace coppice::graph
