#include "data/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"

namespace coppice::data {

namespace {

/// Two neighbours of a target position along one side, and how far it is from the first.
struct Between {
  int64_t low = 0;
  int64_t high = 0;
  float share = 0;
};

std::vector<Between> positions(int64_t from, int64_t to) {
  std::vector<Between> result(static_cast<size_t>(to));
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  for (int64_t i = 0; i < to; ++i) {
    const double at = std::max(0.0, (static_cast<double>(i) + 0.5) * scale - 0.5);
    const auto low = std::min(static_cast<int64_t>(at), from - 1);
    result[static_cast<size_t>(i)] = {
        low, std::min(low + 1, from - 1), static_cast<float>(at - static_cast<double>(low))};
  }
  return result;
}

template <class T>
T stored(float value) {
  if constexpr (std::is_same_v<T, uint8_t>) {
    return static_cast<uint8_t>(std::lround(value));
  } else {
    return value;
  }
}

template <class T>
void resize_plane(const T* from,
                  int64_t width,
                  const std::vector<Between>& rows,
                  const std::vector<Between>& columns,
                  T* to) {
  for (const Between& y : rows) {
    const T* above = from + y.low * width;
    const T* below = from + y.high * width;
    for (const Between& x : columns) {
      const auto between = [&x](const T* row) {
        const auto left = static_cast<float>(row[x.low]);
        return left + (static_cast<float>(row[x.high]) - left) * x.share;
      };
      const float top = between(above);
      *to++ = stored<T>(top + (between(below) - top) * y.share);
    }
  }
}

template <class T>
void resize_all(const std::vector<std::byte>& from,
                const std::vector<int64_t>& shape,
                const std::vector<Between>& rows,
                const std::vector<Between>& columns,
                std::vector<std::byte>& to) {
  const auto plane = static_cast<size_t>(shape[1] * shape[2]);
  const size_t planes = from.size() / sizeof(T) / plane;
  const size_t target = rows.size() * columns.size();
  to.resize(planes * target * sizeof(T));
  for (size_t i = 0; i < planes; ++i) {
    resize_plane(reinterpret_cast<const T*>(from.data()) + i * plane,
                 shape[2],
                 rows,
                 columns,
                 reinterpret_cast<T*>(to.data()) + i * target);
  }
}

}  // namespace

DatasetPtr make_resized(const DatasetPtr& base, int64_t height, int64_t width) {
  Schema schema = base->schema();
  const auto shape = schema.sample_shape;
  if (shape.size() != 3 || height < 1 || width < 1) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format(
            "samples [{}] can't be resized to {} x {}: images [channels, height, width] can",
            fmt::join(shape, ", "),
            height,
            width));
  }
  const Batch batch = read_all(*base);
  schema.sample_shape = {shape[0], height, width};
  const auto rows = positions(shape[1], height);
  const auto columns = positions(shape[2], width);
  std::vector<std::byte> samples;
  if (schema.type == ElementType::U8) {
    resize_all<uint8_t>(batch.samples, shape, rows, columns, samples);
  } else {
    resize_all<float>(batch.samples, shape, rows, columns, samples);
  }
  return make_memory_dataset(std::move(schema), std::move(samples), batch.labels, batch.targets);
}

}  // namespace coppice::data
