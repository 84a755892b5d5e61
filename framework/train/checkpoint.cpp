#include "train/checkpoint.h"

#include <cstring>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "graph/onnx.h"
#include "train/hdf5_image.h"
#include "train/tensor_bridge.h"

namespace coppice::train {

namespace {

constexpr const char* kFormat = "coppice-checkpoint-3";
constexpr const char* kMomentFolder = "optimizer/";
constexpr const char* kBestFolder = "best/";
constexpr const char* kAverageFolder = "average/";
constexpr const char* kMoreFolder = "more/";  // weights that no node reads, which ONNX leaves out

template <class Field>
void visit_metrics(EpochMetrics& m, Field field) {
  for (double* value : {&m.learning_rate,
                        &m.loss,
                        &m.accuracy,
                        &m.validation_loss,
                        &m.validation_accuracy,
                        &m.seconds,
                        &m.input_wait_seconds}) {
    field(*value);
  }
}

constexpr int64_t kMetricsFields = 7;

/// Counts are doubles too: exact up to 2^53.
template <class Field>
void visit_progress(TrainingState& s, Field field) {
  for (int64_t* count : {&s.current.steps,
                         &s.current.samples,
                         &s.plateau.bad_epochs,
                         &s.plateau.cooldown_left,
                         &s.early_stopping.since_best}) {
    auto value = static_cast<double>(*count);
    field(value);
    *count = static_cast<int64_t>(value);
  }
  for (double* value : {&s.current.loss,
                        &s.current.correct,
                        &s.current.seconds,
                        &s.current.input_wait_seconds,
                        &s.plateau.share,
                        &s.plateau.best,
                        &s.early_stopping.best}) {
    field(*value);
  }
}

Hdf5Array to_array(const std::vector<double>& values, std::vector<int64_t> shape) {
  const auto bytes = std::as_bytes(std::span(values));
  return {Hdf5Array::Type::F64, std::move(shape), {bytes.begin(), bytes.end()}};
}

Hdf5Array to_array(const std::vector<EpochMetrics>& history) {
  std::vector<double> values;
  for (EpochMetrics m : history) {
    visit_metrics(m, [&](double& value) { values.push_back(value); });
  }
  return to_array(values, {static_cast<int64_t>(history.size()), kMetricsFields});
}

Hdf5Array progress_array(TrainingState state) {
  std::vector<double> values;
  visit_progress(state, [&](double& value) { values.push_back(value); });
  const auto count = static_cast<int64_t>(values.size());
  return to_array(values, {count});
}

void read_progress(const Hdf5Array& array, const std::string& what, TrainingState& state) {
  size_t at = 0;
  visit_progress(state, [&](double& value) {
    if (array.type != Hdf5Array::Type::F64 || at + sizeof value > array.bytes.size()) {
      throw core::Error(core::ErrorKind::Corrupt, what + " lacks the numbers of its epoch");
    }
    std::memcpy(&value, array.bytes.data() + at, sizeof value);
    at += sizeof value;
  });
}

Hdf5Array to_array(const at::Tensor& tensor) {
  COPPICE_CHECK(tensor.scalar_type() == at::kFloat, "training keeps f32");
  const at::Tensor dense = tensor.detach().cpu().contiguous();
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

void add_tensors(const NamedTensors& tensors, const char* folder, Hdf5Content& content) {
  for (const auto& [name, tensor] : tensors) {
    content.arrays[folder + name] = to_array(tensor);
  }
}

NamedTensors tensors_in(const char* folder, const Hdf5Content& content) {
  NamedTensors tensors;
  for (const auto& [name, array] : content.arrays) {
    if (name.starts_with(folder)) {
      tensors[name.substr(std::strlen(folder))] = to_tensor(array);
    }
  }
  return tensors;
}

/// Real weights that no node of the model reads.
graph::Weights more_weights(const Checkpoint& checkpoint) {
  graph::Weights more;
  for (const auto& [name, tensor] : checkpoint.state.weights) {
    if (tensor.dtype() == graph::DType::F32 && checkpoint.model.graph.consumers(name).empty()) {
      more[name] = tensor;
    }
  }
  return more;
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
  for (const auto& [name, tensor] : more_weights(checkpoint)) {
    content.arrays[kMoreFolder + name] = to_array(to_aten(tensor));
  }
  content.arrays["history"] = to_array(checkpoint.state.history);
  content.arrays["progress"] = progress_array(checkpoint.state);
  add_tensors(checkpoint.state.optimizer.tensors, kMomentFolder, content);
  add_tensors(checkpoint.state.best, kBestFolder, content);
  add_tensors(checkpoint.state.average, kAverageFolder, content);
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
  for (const auto& [name, tensor] : tensors_in(kMoreFolder, content)) {
    checkpoint.state.weights[name] = to_graph(tensor);
  }
  checkpoint.state.history = to_history(content.arrays["history"], what);
  checkpoint.state.optimizer.steps = std::stoll(content.attributes["optimizer_steps"]);
  read_progress(content.arrays["progress"], what, checkpoint.state);
  checkpoint.state.optimizer.tensors = tensors_in(kMomentFolder, content);
  checkpoint.state.best = tensors_in(kBestFolder, content);
  checkpoint.state.average = tensors_in(kAverageFolder, content);
  return checkpoint;
}

}  // namespace coppice::train
