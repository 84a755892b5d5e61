#include "train/tensor_bridge.h"

#include <memory>
#include <string>

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include "core/error.h"

namespace coppice::train {

namespace {

at::ScalarType scalar_type(graph::DType dtype) {
  switch (dtype) {
    case graph::DType::F32:
      return at::kFloat;
    case graph::DType::U8:
      return at::kByte;
    case graph::DType::I8:
      return at::kChar;
    case graph::DType::I32:
      return at::kInt;
    case graph::DType::I64:
      return at::kLong;
  }
  COPPICE_CHECK(false, "dtype out of range");
}

graph::DType dtype_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return graph::DType::F32;
    case at::kByte:
      return graph::DType::U8;
    case at::kChar:
      return graph::DType::I8;
    case at::kInt:
      return graph::DType::I32;
    case at::kLong:
      return graph::DType::I64;
    default:
      throw core::Error(core::ErrorKind::Unsupported,
                        std::string("a tensor of ") + c10::toString(tensor.scalar_type()) +
                            " has no graph dtype; convert it to float first");
  }
}

}  // namespace

at::Tensor to_aten(const graph::Tensor& tensor) {
  // ATen takes a mutable pointer for a view; the constness is the caller's to keep.
  std::shared_ptr<std::byte> bytes = tensor.shared_bytes();
  void* data = bytes.get();
  return at::from_blob(
      data,
      tensor.shape(),
      [owner = std::move(bytes)](void*) {},
      at::TensorOptions(scalar_type(tensor.dtype())));
}

graph::Tensor to_graph(const at::Tensor& tensor) {
  const graph::DType dtype = dtype_of(tensor);
  const at::Tensor dense = tensor.detach().cpu().contiguous();
  auto* data = static_cast<std::byte*>(dense.data_ptr());
  return {dtype, dense.sizes().vec(), std::shared_ptr<std::byte>(data, [dense](std::byte*) {})};
}

}  // namespace coppice::train
