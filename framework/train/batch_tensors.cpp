#include "train/batch_tensors.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

namespace coppice::train {

namespace {

/// ATen has no read-only views; nobody writes through these.
void* writable(const void* data) {
  return const_cast<void*>(data);
}

}  // namespace

at::Tensor samples_of(const data::Batch& batch, const data::Schema& schema) {
  std::vector<int64_t> shape{batch.size};
  shape.insert(shape.end(), schema.sample_shape.begin(), schema.sample_shape.end());
  const at::ScalarType type = schema.type == data::ElementType::U8 ? at::kByte : at::kFloat;
  return at::from_blob(writable(batch.samples.data()), shape, at::TensorOptions(type));
}

at::Tensor labels_of(const data::Batch& batch) {
  return at::from_blob(writable(batch.labels.data()), {batch.size}, at::TensorOptions(at::kLong));
}

}  // namespace coppice::train
