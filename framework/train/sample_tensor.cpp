#include "train/sample_tensor.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace coppice::train {

graph::DType input_dtype(const data::Schema& schema) {
  return schema.type == data::ElementType::U8 ? graph::DType::U8 : graph::DType::F32;
}

graph::Tensor to_tensor(const data::Batch& batch, const data::Schema& schema) {
  graph::Shape shape{batch.size};
  shape.insert(shape.end(), schema.sample_shape.begin(), schema.sample_shape.end());
  graph::Tensor tensor(input_dtype(schema), shape);
  std::memcpy(tensor.bytes(), batch.samples.data(), batch.samples.size());
  return tensor;
}

graph::Tensor first_samples(const data::Dataset& dataset, int64_t count) {
  std::vector<int64_t> indices(static_cast<size_t>(std::min(count, dataset.size())));
  std::iota(indices.begin(), indices.end(), 0);
  data::Batch batch;
  dataset.read(indices, batch);
  return to_tensor(batch, dataset.schema());
}

}  // namespace coppice::train
