#include "data/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::data {

namespace {

/// How a sample falls into channels: [channels, …] into runs of pixels, [features] into runs of
/// one.
struct Layout {
  size_t channels;
  size_t run;
};

Layout layout_of(const Schema& schema) {
  const auto channels = static_cast<size_t>(schema.sample_shape.front());
  return {channels, static_cast<size_t>(schema.sample_elements()) / channels};
}

/// Integer sums are exact in any order.
void describe_u8(const Layout& layout, const Batch& batch, Statistics& result) {
  const auto* values = reinterpret_cast<const uint8_t*>(batch.samples.data());
  const double count = static_cast<double>(batch.size) * static_cast<double>(layout.run);
  std::vector<uint64_t> sums(layout.channels);
  std::vector<uint64_t> squares(layout.channels);
  uint8_t low = std::numeric_limits<uint8_t>::max();
  uint8_t high = 0;
  const size_t step = layout.run;
  for (int64_t i = 0; i < batch.size; ++i) {
    for (size_t c = 0; c < layout.channels; ++c, values += step) {
      // 32 bits hold the squares of 66,051 bytes: larger runs are summed piece by piece.
      constexpr size_t kPiece = 65536;
      for (size_t start = 0; start < step; start += kPiece) {
        uint32_t sum = 0;
        uint32_t square = 0;
        const size_t end = std::min(step, start + kPiece);
        for (size_t k = start; k < end; ++k) {
          const uint32_t value = values[k];
          sum += value;
          square += value * value;
          low = std::min(low, values[k]);
          high = std::max(high, values[k]);
        }
        sums[c] += sum;
        squares[c] += square;
      }
    }
  }
  for (size_t c = 0; c < layout.channels; ++c) {
    const double mean = static_cast<double>(sums[c]) / count;
    const double variance = static_cast<double>(squares[c]) / count - mean * mean;
    result.mean.push_back(mean);
    result.std.push_back(std::sqrt(std::max(0.0, variance)));
  }
  result.min = low;
  result.max = high;
}

/// Two passes: floats far from zero lose their variance in a difference of large sums.
void describe_f32(const Layout& layout, const Batch& batch, Statistics& result) {
  const auto* values = reinterpret_cast<const float*>(batch.samples.data());
  const double count = static_cast<double>(batch.size) * static_cast<double>(layout.run);
  const size_t sample = layout.channels * layout.run;
  const size_t total = static_cast<size_t>(batch.size) * sample;
  result.mean.assign(layout.channels, 0);
  result.std.assign(layout.channels, 0);
  result.min = std::numeric_limits<double>::infinity();
  result.max = -std::numeric_limits<double>::infinity();
  for (size_t k = 0; k < total; ++k) {
    const double value = static_cast<double>(values[k]);
    if (!std::isfinite(value)) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("sample {}: its value {} is {}; mend or drop the sample",
                                    batch.ids[k / sample],
                                    k % sample,
                                    value));
    }
    result.mean[k % sample / layout.run] += value;
    result.min = std::min(result.min, value);
    result.max = std::max(result.max, value);
  }
  for (double& mean : result.mean) {
    mean /= count;
  }
  for (size_t k = 0; k < total; ++k) {
    const size_t c = k % sample / layout.run;
    const double difference = static_cast<double>(values[k]) - result.mean[c];
    result.std[c] += difference * difference;
  }
  for (double& deviation : result.std) {
    deviation = std::sqrt(deviation / count);
  }
}

/// Two passes, as for floats.
void describe_targets(size_t count, const Batch& batch, Statistics& result) {
  const auto samples = static_cast<double>(batch.size);
  result.target_mean.assign(count, 0);
  result.target_std.assign(count, 0);
  for (size_t k = 0; k < batch.targets.size(); ++k) {
    result.target_mean[k % count] += static_cast<double>(batch.targets[k]) / samples;
  }
  for (size_t k = 0; k < batch.targets.size(); ++k) {
    const double difference = static_cast<double>(batch.targets[k]) - result.target_mean[k % count];
    result.target_std[k % count] += difference * difference / samples;
  }
  for (double& deviation : result.target_std) {
    deviation = std::sqrt(deviation);
  }
}

}  // namespace

Statistics compute_statistics(const Schema& schema, const Batch& batch) {
  if (batch.size < 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "statistics of an empty data set: it needs at least one sample");
  }
  Statistics result;
  result.samples = batch.size;
  result.class_counts.assign(schema.class_names.size(), 0);
  for (const int64_t label : batch.labels) {
    if (label >= 0) {
      ++result.class_counts[static_cast<size_t>(label)];
    }
  }
  if (schema.type == ElementType::U8) {
    describe_u8(layout_of(schema), batch, result);
  } else {
    describe_f32(layout_of(schema), batch, result);
  }
  describe_targets(schema.target_names.size(), batch, result);
  return result;
}

Statistics compute_statistics(const Dataset& dataset) {
  return compute_statistics(dataset.schema(), read_all(dataset));
}

}  // namespace coppice::data
