#include "train/checkpoint.h"

#include <cstring>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "graph/onnx.h"
#include "train/hdf5_image.h"

namespace coppice::train {

namespace {

constexpr const char* kFormat = "coppice-checkpoint-1";
constexpr const char* kMomentFolder = "optimizer/";

template <class Field>
void visit_metrics(EpochMetrics& m, Field field) {
  for (double* value : {&m.learning_rate,
                        &m.loss,
                        &m.accuracy,
                        &m.validation_loss,
                        &m.validation_accuracy,
                        &m.seconds}) {
    field(*value);
  }
}

constexpr int64_t kMetricsFields = 6;

Hdf5Array to_array(const std::vector<EpochMetrics>& history) {
  std::vector<double> values;
  for (EpochMetrics m : history) {
    visit_metrics(m, [&](double& value) { values.push_back(value); });
  }
  const auto bytes = std::as_bytes(std::span(values));
  return {Hdf5Array::Type::F64,
          {static_cast<int64_t>(history.size()), kMetricsFields},
          {bytes.begin(), bytes.end()}};
}

Hdf5Array to_array(const at::Tensor& tensor) {
  COPPICE_CHECK(tensor.scalar_type() == at::kFloat, "optimisers keep f32");
  const at::Tensor dense = tensor.contiguous();
  const auto* data = static_cast<const std::byte*>(dense.data_ptr());
  return {Hdf5Array::Type::F32, dense.sizes().vec(), {data, data + dense.nbytes()}};
}

at::Tensor to_tensor(const Hdf5Array& array) {
  at::Tensor tensor = at::empty(array.shape, at::TensorOptions(at::kFloat));
  COPPICE_CHECK(tensor.nbytes() == array.bytes.size(), "array of another type");
  std::memcpy(tensor.data_ptr(), array.bytes.data(), array.bytes.size());
  return tensor;
}

std::vector<EpochMetrics> to_history(const Hdf5Array& array, const std::string& what) {
  if (array.type != Hdf5Array::Type::F64 || array.shape.size() != 2 ||
      array.shape[1] != kMetricsFields) {
    throw core::Error(core::ErrorKind::Corrupt, what + " has a history of another shape");
  }
  std::vector<EpochMetrics> history(static_cast<size_t>(array.shape[0]));
  const std::byte* next = array.bytes.data();
  for (size_t epoch = 0; epoch < history.size(); ++epoch) {
    history[epoch].epoch = static_cast<int64_t>(epoch) + 1;
    visit_metrics(history[epoch], [&](double& value) {
      std::memcpy(&value, next, sizeof value);
      next += sizeof value;
    });
  }
  return history;
}

/// Over everything but itself: HDF5 alone does not notice altered values.
std::string checksum(const Hdf5Content& content) {
  core::Sha256 hash;
  for (const auto& [name, array] : content.arrays) {
    hash.update(name);
    hash.update(array.bytes);
  }
  for (const auto& [name, value] : content.attributes) {
    if (name != "checksum") {
      hash.update(name + "=" + value);
    }
  }
  return hash.finish();
}

}  // namespace

void save_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint) {
  Hdf5Content content;
  core::Bytes model = graph::to_onnx(checkpoint.model);
  const auto size = static_cast<int64_t>(model.size());
  content.arrays["model"] = {Hdf5Array::Type::Byte, {size}, std::move(model)};
  content.arrays["history"] = to_array(checkpoint.state.history);
  for (const auto& [name, tensor] : checkpoint.state.optimizer.tensors) {
    content.arrays[kMomentFolder + name] = to_array(tensor);
  }
  content.attributes["format"] = kFormat;
  content.attributes["job"] = checkpoint.job;
  content.attributes["optimizer_steps"] = std::to_string(checkpoint.state.optimizer.steps);
  content.attributes["checksum"] = checksum(content);
  core::write_file(file, to_hdf5(content));
}

Checkpoint load_checkpoint(const std::filesystem::path& file) {
  const std::string what = "checkpoint " + file.string();
  Hdf5Content content = from_hdf5(core::read_file(file), what);
  if (content.attributes["format"] != kFormat ||
      content.attributes["checksum"] != checksum(content)) {
    throw core::Error(core::ErrorKind::Corrupt,
                      what + " is damaged or of another version; delete it to start over");
  }
  Checkpoint checkpoint;
  checkpoint.job = content.attributes["job"];
  checkpoint.model = graph::from_onnx(content.arrays["model"].bytes);
  checkpoint.state.weights = checkpoint.model.weights;
  checkpoint.state.history = to_history(content.arrays["history"], what);
  checkpoint.state.optimizer.steps = std::stoll(content.attributes["optimizer_steps"]);
  for (const auto& [name, array] : content.arrays) {
    if (name.starts_with(kMomentFolder)) {
      checkpoint.state.optimizer.tensors[name.substr(std::strlen(kMomentFolder))] =
          to_tensor(array);
    }
  }
  return checkpoint;
}

}  // namespace coppice::train
