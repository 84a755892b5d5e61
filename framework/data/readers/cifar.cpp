#include <algorithm>

#include <fmt/format.h>

#include "data/readers/all.h"

namespace coppice::data {

namespace {

constexpr size_t kPixelBytes = 3 * 32 * 32;

/// CIFAR's binary files are records of labels and a planar RGB image (Krizhevsky, 2009).
struct CifarLayout {
  size_t label_bytes;  ///< before the pixels; the last one is the class
  size_t classes;
};

ImportedSamples import_cifar(const SourceOptions& options,
                             const std::filesystem::path& folder,
                             const CifarLayout& layout) {
  const size_t record = layout.label_bytes + kPixelBytes;
  Schema schema;
  schema.sample_shape = {3, 32, 32};
  schema.class_names = options.class_names;
  for (size_t c = 0; options.class_names.empty() && c < layout.classes; ++c) {
    schema.class_names.push_back(fmt::format("{}", c));
  }
  if (schema.class_names.size() != layout.classes) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("{} class names for format '{}', which has {} classes",
                                  options.class_names.size(),
                                  options.format,
                                  layout.classes));
  }
  std::vector<std::byte> pixels;
  std::vector<int64_t> labels;
  std::vector<std::string> coarse;
  for (const std::string& name : options.files) {
    const std::filesystem::path file = folder / name;
    const core::Bytes bytes = read_unzipped(file);
    if (bytes.empty() || bytes.size() % record != 0) {
      refuse_file(file,
                  fmt::format("truncated: {} bytes do not make records of {}; get the file anew",
                              bytes.size(),
                              record));
    }
    for (size_t start = 0; start < bytes.size(); start += record) {
      const auto label = std::to_integer<int64_t>(bytes[start + layout.label_bytes - 1]);
      if (label >= static_cast<int64_t>(layout.classes)) {
        refuse_file(file,
                    fmt::format("label {} in record {} (offset {}): there are {} classes; get the "
                                "file anew",
                                label,
                                start / record,
                                start,
                                layout.classes));
      }
      labels.push_back(label);
      if (layout.label_bytes == 2) {
        coarse.push_back(fmt::format("{}", std::to_integer<int>(bytes[start])));
      }
      const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(start + layout.label_bytes);
      pixels.insert(pixels.end(), first, first + kPixelBytes);
    }
  }
  ImportedSamples result;
  result.dataset = make_memory_dataset(std::move(schema), std::move(pixels), std::move(labels));
  if (!coarse.empty()) {
    result.columns["superclass"] = std::move(coarse);
  }
  return result;
}

}  // namespace

ImportedSamples import_cifar10(const SourceOptions& options, const std::filesystem::path& folder) {
  return import_cifar(options, folder, {.label_bytes = 1, .classes = 10});
}

ImportedSamples import_cifar100(const SourceOptions& options, const std::filesystem::path& folder) {
  return import_cifar(options, folder, {.label_bytes = 2, .classes = 100});
}

}  // namespace coppice::data
