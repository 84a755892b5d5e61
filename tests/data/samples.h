#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "core/rng.h"
#include "data/dataset.h"

namespace coppice::data::test {

inline std::vector<std::string> class_names(size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    names.push_back("class-" + std::to_string(i));
  }
  return names;
}

inline Schema schema_of(std::vector<int64_t> shape,
                        size_t classes,
                        ElementType type = ElementType::U8) {
  Schema schema;
  schema.type = type;
  schema.sample_shape = std::move(shape);
  schema.class_names = class_names(classes);
  return schema;
}

inline std::vector<std::byte> random_bytes(size_t size, uint64_t seed) {
  core::Rng rng(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(rng.below(256));
  }
  return bytes;
}

inline std::vector<std::byte> bytes_of(const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

inline std::vector<float> floats_of(const std::vector<std::byte>& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

/// Without the care for power cuts that makes core::write_file slow.
inline void put_file(const std::filesystem::path& file, std::span<const std::byte> bytes) {
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

/// Flips bits of one byte in place: rewriting a whole file makes some file systems wait for the
/// disk.
inline void flip(const std::filesystem::path& file, size_t offset, unsigned bits) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekg(static_cast<std::streamoff>(offset));
  const int byte = stream.get();
  stream.seekp(static_cast<std::streamoff>(offset));
  stream.put(static_cast<char>(static_cast<unsigned>(byte) ^ bits));
}

/// `counts[c]` samples of one random byte for each class c, classes in turn as long as they last.
inline DatasetPtr with_counts(std::vector<int64_t> counts) {
  std::vector<int64_t> labels;
  const size_t classes = counts.size();
  for (bool more = true; more;) {
    more = false;
    for (size_t c = 0; c < classes; ++c) {
      if (counts[c]-- > 0) {
        labels.push_back(static_cast<int64_t>(c));
        more = true;
      }
    }
  }
  auto samples = random_bytes(labels.size(), 1);
  return make_memory_dataset(schema_of({1}, classes), std::move(samples), std::move(labels));
}

/// Six 2x3 images of two channels and three classes, one label unknown.
inline DatasetPtr six_images() {
  return make_memory_dataset(schema_of({2, 2, 3}, 3), random_bytes(6 * 12, 7), {0, 1, 2, 2, -1, 0});
}

/// Samples of each class among `part`.
inline std::vector<int64_t> counts_of(const DatasetPtr& dataset, const std::vector<int64_t>& part) {
  return class_counts(*make_subset(dataset, part));
}

}  // namespace coppice::data::test
