#include "coppice/model_samples.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"
#include "core/image_file.h"
#include "core/rng.h"
#include "data/reader.h"
#include "data/store.h"

namespace coppice::tools {

namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ErrorKind;
using graph::DType;
using graph::Shape;

Shape sample_shape(const graph::Node& input) {
  return {input.shape.begin() + 1, input.shape.end()};
}

/// Dimensions of 1 do not tell samples apart: [28, 28] is an image of one channel.
Shape without_ones(Shape shape) {
  std::erase(shape, 1);
  return shape;
}

[[noreturn]] void refuse_samples(const std::string& path,
                                 std::string_view dtype,
                                 const Shape& shape,
                                 const graph::Node& input) {
  throw Error(ErrorKind::InvalidArgument,
              fmt::format("{}: samples of {} {}, the model's input '{}' takes {} {}",
                          path,
                          dtype,
                          graph::to_string(shape),
                          input.name,
                          graph::to_string(input.dtype),
                          graph::to_string(sample_shape(input))));
}

graph::Tensor converted(const data::Batch& batch,
                        const data::Schema& schema,
                        const graph::Node& input,
                        int64_t count) {
  Shape shape = input.shape;
  shape[0] = count;
  graph::Tensor values(input.dtype, shape);
  if (schema.type == data::ElementType::U8 && input.dtype == DType::F32) {
    std::transform(
        batch.samples.begin(), batch.samples.end(), values.data<float>().begin(), [](std::byte b) {
          return static_cast<float>(std::to_integer<uint8_t>(b));
        });
  } else {
    std::memcpy(values.bytes(), batch.samples.data(), batch.samples.size());
  }
  return values;
}

ModelSamples from_dataset(const std::string& path,
                          const data::Dataset& dataset,
                          const graph::Node& input,
                          int64_t limit) {
  const data::Schema& schema = dataset.schema();
  const bool bytes = schema.type == data::ElementType::U8;
  Shape whole = schema.sample_shape;
  whole.insert(whole.begin(), dataset.size());
  const Shape wanted = without_ones(sample_shape(input));
  const bool is_one_sample =
      without_ones(schema.sample_shape) != wanted && without_ones(whole) == wanted;
  const bool takes_dtype = input.dtype == DType::F32 || (bytes && input.dtype == DType::U8);
  if (!takes_dtype || (!is_one_sample && without_ones(schema.sample_shape) != wanted)) {
    refuse_samples(path, bytes ? "u8" : "f32", schema.sample_shape, input);
  }
  const int64_t rows =
      limit > 0 && !is_one_sample ? std::min(limit, dataset.size()) : dataset.size();
  std::vector<int64_t> indices(static_cast<size_t>(rows));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  data::Batch batch;
  dataset.read(indices, batch);
  ModelSamples samples;
  const int64_t count = is_one_sample ? 1 : rows;
  samples.values = converted(batch, schema, input, count);
  for (int64_t i = 0; i < count; ++i) {
    samples.names.push_back(std::to_string(i));
  }
  const bool labelled = std::any_of(
      batch.labels.begin(), batch.labels.end(), [](int64_t label) { return label >= 0; });
  if (labelled && !is_one_sample) {
    samples.labels = batch.labels;
  }
  return samples;
}

std::vector<fs::path> image_files(const fs::path& path) {
  if (!fs::is_directory(path)) {
    return {path};
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file() && core::is_image_name(entry.path())) {
      files.push_back(entry.path());
    }
  }
  if (files.empty()) {
    throw Error(ErrorKind::NotFound,
                fmt::format("there is no PNG or JPEG file in '{}'", path.string()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

ModelSamples from_images(const fs::path& path, const graph::Node& input, int64_t limit) {
  const Shape wanted = sample_shape(input);
  if (wanted.size() != 3 || (wanted[0] != 1 && wanted[0] != 3)) {
    throw Error(
        ErrorKind::InvalidArgument,
        fmt::format("{}: images have 1 or 3 channels, the model's input '{}' takes {}; give "
                    "its samples as NPY",
                    path.string(),
                    input.name,
                    graph::to_string(wanted)));
  }
  std::vector<fs::path> files = image_files(path);
  if (limit > 0 && std::ssize(files) > limit) {
    files.resize(static_cast<size_t>(limit));
  }
  data::Schema schema;
  schema.sample_shape = wanted;
  data::Batch batch;
  ModelSamples samples;
  for (const fs::path& file : files) {
    const core::ImageFile image = core::read_image(file, wanted[0]);
    if (image.height != wanted[1] || image.width != wanted[2]) {
      throw Error(ErrorKind::InvalidArgument,
                  fmt::format("{} is {}x{} pixels, the model takes {}x{}: resize it first",
                              file.string(),
                              image.width,
                              image.height,
                              wanted[2],
                              wanted[1]));
    }
    const auto pixels = std::as_bytes(std::span(image.pixels));
    batch.samples.insert(batch.samples.end(), pixels.begin(), pixels.end());
    samples.names.push_back(file.string());
  }
  samples.values = converted(batch, schema, input, std::ssize(files));
  return samples;
}

}  // namespace

ModelSamples read_samples(const std::string& path, const graph::Node& input, int64_t limit) {
  const fs::path file = path;
  if (!fs::exists(file)) {
    throw Error(ErrorKind::NotFound, fmt::format("'{}' does not exist", path));
  }
  if (file.extension() == ".npy") {
    data::SourceOptions source;
    source.format = "npy";
    source.task = "reconstruction";
    source.files = {fs::absolute(file).string()};
    return from_dataset(path, *data::read_source(source, "").dataset, input, limit);
  }
  if (file.extension() == ".h5") {
    return from_dataset(path, *data::open_version(file), input, limit);
  }
  return from_images(file, input, limit);
}

graph::Tensor random_samples(const graph::Node& input, int64_t count, uint64_t seed) {
  Shape shape = input.shape;
  shape[0] = count;
  graph::Tensor values(input.dtype, shape);
  core::Rng rng(seed);
  if (input.dtype == DType::F32) {
    for (float& value : values.data<float>()) {
      value = static_cast<float>(rng.normal());
    }
  } else {
    std::byte* bytes = values.bytes();
    std::generate(
        bytes, bytes + values.bytes_size(), [&] { return static_cast<std::byte>(rng.below(256)); });
  }
  return values;
}

const graph::Node& only_input(const graph::Model& model) {
  const auto inputs = model.graph.inputs();
  if (inputs.size() != 1 || inputs[0]->shape.empty()) {
    throw Error(ErrorKind::Unsupported,
                fmt::format("the model has {} inputs: only models with one are fed from here",
                            inputs.size()));
  }
  return *inputs[0];
}

}  // namespace coppice::tools
