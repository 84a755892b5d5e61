#include <span>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "data/readers.h"
#include "data/readers/all.h"

namespace coppice::data {

namespace {

constexpr uint32_t kImagesMagic = 0x00000803;  // u8, three dimensions
constexpr uint32_t kLabelsMagic = 0x00000801;  // u8, one dimension

[[noreturn]] void corrupt(const std::filesystem::path& file, const std::string& reason) {
  throw core::Error(core::ErrorKind::Corrupt,
                    fmt::format("{}: {}; get the file anew", file.string(), reason));
}

uint32_t big_endian(std::span<const std::byte> bytes, size_t offset) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value = (value << 8U) | std::to_integer<uint32_t>(bytes[offset + i]);
  }
  return value;
}

struct Idx {
  std::vector<int64_t> shape;
  std::vector<std::byte> values;
};

Idx read_values(const std::filesystem::path& file, uint32_t magic, size_t dimensions) {
  core::Bytes bytes = read_unzipped(file);
  const size_t header_bytes = 4 + 4 * dimensions;
  if (bytes.size() < header_bytes) {
    corrupt(
        file,
        fmt::format("truncated: {} bytes, its header alone has {}", bytes.size(), header_bytes));
  }
  if (const uint32_t found = big_endian(bytes, 0); found != magic) {
    corrupt(file, fmt::format("magic number {:#010x} instead of {:#010x}", found, magic));
  }
  Idx idx;
  unsigned __int128 expected = 1;
  for (size_t i = 0; i < dimensions; ++i) {
    idx.shape.push_back(big_endian(bytes, 4 + 4 * i));
    expected *= static_cast<uint64_t>(idx.shape.back());
  }
  if (expected == 0) {
    corrupt(file, fmt::format("its header announces [{}]: nothing", fmt::join(idx.shape, ", ")));
  }
  const size_t held = bytes.size() - header_bytes;
  if (held != expected) {
    corrupt(file,
            fmt::format("{}: {} bytes of values where its header announces [{}]",
                        held < expected ? "truncated" : "trailing bytes",
                        held,
                        fmt::join(idx.shape, ", ")));
  }
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header_bytes));
  idx.values = std::move(bytes);
  return idx;
}

}  // namespace

DatasetPtr read_idx(const std::filesystem::path& images,
                    const std::filesystem::path& labels,
                    std::vector<std::string> class_names) {
  const Idx label_values = read_values(labels, kLabelsMagic, 1);
  Idx image_values = read_values(images, kImagesMagic, 3);
  if (image_values.shape[0] != label_values.shape[0]) {
    corrupt(labels,
            fmt::format("{} labels for the {} images of {}",
                        label_values.shape[0],
                        image_values.shape[0],
                        images.string()));
  }
  std::vector<int64_t> numbers(label_values.values.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = std::to_integer<int64_t>(label_values.values[i]);
    if (numbers[i] >= static_cast<int64_t>(class_names.size())) {
      throw core::Error(core::ErrorKind::Corrupt,
                        fmt::format("{}: label {} of sample {}, but there are {} class names; name "
                                    "every class or get the file anew",
                                    labels.string(),
                                    numbers[i],
                                    i,
                                    class_names.size()));
    }
  }
  Schema schema;
  schema.sample_shape = {1, image_values.shape[1], image_values.shape[2]};
  schema.class_names = std::move(class_names);
  return make_memory_dataset(std::move(schema), std::move(image_values.values), std::move(numbers));
}

}  // namespace coppice::data
