#include "train/batch_tensors.h"

#include <algorithm>

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

at::Tensor targets_of(const data::Batch& batch) {
  const auto values = static_cast<int64_t>(batch.targets.size());
  return at::from_blob(writable(batch.targets.data()),
                       {batch.size, values / std::max<int64_t>(1, batch.size)},
                       at::TensorOptions(at::kFloat));
}

at::Tensor positions_of(const std::vector<int64_t>& positions) {
  return at::from_blob(writable(positions.data()),
                       {static_cast<int64_t>(positions.size())},
                       at::TensorOptions(at::kLong));
}

}  // namespace coppice::train
