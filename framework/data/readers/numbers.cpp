#include "data/readers/numbers.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"
#include "data/readers/all.h"

namespace coppice::data {

namespace {

template <class T>
double number_at(const std::byte* bytes, int64_t i) {
  T value;
  std::memcpy(&value, bytes + static_cast<size_t>(i) * sizeof(T), sizeof(T));
  return static_cast<double>(value);
}

[[noreturn]] void refuse_row(const NumberArray& array, int64_t row, const std::string& reason) {
  refuse_file(array.place, fmt::format("row {}: {}", row, reason));
}

/// Rows of `width` values as f32.
std::vector<float> floats_from(const NumberArray& array, int64_t width) {
  std::vector<float> values(static_cast<size_t>(array.size()));
  for (int64_t i = 0; i < array.size(); ++i) {
    const double number = array.number(i);
    const auto value = static_cast<float>(number);
    if (!std::isfinite(value)) {
      refuse_row(
          array,
          i / width,
          fmt::format(
              "its value {} is {}, which f32 can't hold; mend or drop it", i % width, number));
    }
    values[static_cast<size_t>(i)] = value;
  }
  return values;
}

void set_shape(const SourceOptions& options, const NumberArray& samples, Schema& schema) {
  if (samples.shape.empty() || samples.size() == 0) {
    refuse_file(samples.place,
                fmt::format("an array of [{}] holds no samples", fmt::join(samples.shape, ", ")));
  }
  schema.sample_shape.assign(samples.shape.begin() + 1, samples.shape.end());
  if (schema.sample_shape.empty()) {
    schema.sample_shape = {1};
  }
  const int64_t elements = schema.sample_elements();
  if (options.sample_shape.empty()) {
    return;
  }
  schema.sample_shape = options.sample_shape;
  if (schema.sample_elements() != elements) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("{}: a sample has {} values, which do not make [{}]; change "
                                  "'sample_shape'",
                                  samples.place,
                                  elements,
                                  fmt::join(options.sample_shape, ", ")));
  }
}

void check_rows(const NumberArray& samples, const NumberArray& labels) {
  const int64_t rows = labels.shape.empty() ? 0 : labels.shape[0];
  if (rows != samples.shape[0]) {
    refuse_file(
        labels.place,
        fmt::format("{} rows for the {} samples of {}", rows, samples.shape[0], samples.place));
  }
}

std::vector<float> targets_from(const NumberArray& array, Schema& schema) {
  const int64_t width = array.shape[0] == 0 ? 1 : array.size() / array.shape[0];
  for (int64_t i = 0; i < width; ++i) {
    schema.target_names.push_back(width == 1 ? "target" : fmt::format("target_{}", i));
  }
  return floats_from(array, width);
}

}  // namespace

int64_t size_bytes(NumberType type) {
  switch (type) {
    case NumberType::Bool:
    case NumberType::I8:
    case NumberType::U8:
      return 1;
    case NumberType::I16:
    case NumberType::U16:
      return 2;
    case NumberType::I32:
    case NumberType::U32:
    case NumberType::F32:
      return 4;
    case NumberType::I64:
    case NumberType::U64:
    case NumberType::F64:
      return 8;
  }
  return 0;
}

int64_t NumberArray::size() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

double NumberArray::number(int64_t i) const {
  switch (type) {
    case NumberType::I8:
      return number_at<int8_t>(bytes.data(), i);
    case NumberType::Bool:
    case NumberType::U8:
      return number_at<uint8_t>(bytes.data(), i);
    case NumberType::I16:
      return number_at<int16_t>(bytes.data(), i);
    case NumberType::U16:
      return number_at<uint16_t>(bytes.data(), i);
    case NumberType::I32:
      return number_at<int32_t>(bytes.data(), i);
    case NumberType::U32:
      return number_at<uint32_t>(bytes.data(), i);
    case NumberType::I64:
      return number_at<int64_t>(bytes.data(), i);
    case NumberType::U64:
      return number_at<uint64_t>(bytes.data(), i);
    case NumberType::F32:
      return number_at<float>(bytes.data(), i);
    case NumberType::F64:
      return number_at<double>(bytes.data(), i);
  }
  return 0;
}

std::vector<int64_t> labels_from(const SourceOptions& options,
                                 const NumberArray& labels,
                                 std::vector<std::string>& class_names) {
  if (labels.size() != (labels.shape.empty() ? 1 : labels.shape[0])) {
    refuse_file(labels.place,
                fmt::format("labels of shape [{}]: one per sample is needed",
                            fmt::join(labels.shape, ", ")));
  }
  constexpr double kMostClasses = 1e6;
  const double most = class_names.empty() ? kMostClasses : static_cast<double>(class_names.size());
  std::vector<int64_t> result(static_cast<size_t>(labels.size()));
  int64_t largest = 0;
  for (int64_t i = 0; i < labels.size(); ++i) {
    const double number = labels.number(i);
    const double index = number - static_cast<double>(options.first_label);
    if (std::floor(number) != number || !(index >= 0 && index < most)) {
      refuse_row(labels,
                 i,
                 fmt::format("label {} is not among {} classes from {}; set 'class_names' and "
                             "'first_label', or mend the file",
                             number,
                             most,
                             options.first_label));
    }
    result[static_cast<size_t>(i)] = static_cast<int64_t>(index);
    largest = std::max(largest, static_cast<int64_t>(index));
  }
  if (class_names.empty()) {
    for (int64_t c = 0; c <= largest; ++c) {
      class_names.push_back(fmt::format("{}", c + options.first_label));
    }
  }
  return result;
}

ImportedSamples assemble(const SourceOptions& options,
                         NumberArray samples,
                         const std::optional<NumberArray>& labels) {
  Schema schema;
  schema.task = options.task;
  set_shape(options, samples, schema);
  const bool bytes = samples.type == NumberType::U8;
  schema.type = bytes ? ElementType::U8 : ElementType::F32;
  if (!bytes) {
    const std::vector<float> values = floats_from(samples, schema.sample_elements());
    samples.bytes.resize(values.size() * sizeof(float));
    std::memcpy(samples.bytes.data(), values.data(), samples.bytes.size());
  }
  std::vector<int64_t> classes(static_cast<size_t>(samples.shape[0]), -1);
  std::vector<float> targets;
  if (options.task != "reconstruction") {
    if (!labels) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("{}: {} needs labels; name them, or use the task "
                                    "'reconstruction'",
                                    samples.place,
                                    options.task));
    }
    check_rows(samples, *labels);
    if (options.task == "regression") {
      targets = targets_from(*labels, schema);
    } else {
      schema.class_names = options.class_names;
      classes = labels_from(options, *labels, schema.class_names);
    }
  }
  ImportedSamples result;
  result.dataset = make_memory_dataset(
      std::move(schema), std::move(samples.bytes), std::move(classes), std::move(targets));
  return result;
}

Columns read_column_files(const SourceOptions& options,
                          const std::filesystem::path& folder,
                          int64_t samples) {
  Columns columns;
  for (const ColumnFile& column : options.columns) {
    const NumberArray array = read_npy(folder / column.file);
    if (array.shape.size() != 1 || array.size() != samples) {
      refuse_file(array.place,
                  fmt::format("[{}] values for {} samples", fmt::join(array.shape, ", "), samples));
    }
    std::vector<std::string>& texts = columns[column.name];
    for (int64_t i = 0; i < samples; ++i) {
      texts.push_back(fmt::format("{}", array.number(i)));
    }
  }
  return columns;
}

}  // namespace coppice::data
