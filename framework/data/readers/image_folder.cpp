#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/image_file.h"
#include "data/readers/all.h"

namespace coppice::data {

namespace {

/// Sorted, so that the order does not depend on the file system.
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& folder) {
  std::error_code error;
  std::set<std::filesystem::path> entries;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    entries.insert(entry.path());
  }
  if (error) {
    throw core::Error(core::ErrorKind::NotFound,
                      fmt::format("{}: can't list the folder ({}); name a folder with one folder "
                                  "per class",
                                  folder.string(),
                                  error.message()));
  }
  return {entries.begin(), entries.end()};
}

std::vector<std::string> folder_classes(const SourceOptions& options,
                                        const std::filesystem::path& root) {
  std::vector<std::string> found;
  for (const auto& entry : sorted_entries(root)) {
    const std::string name = entry.filename().string();
    if (!std::filesystem::is_directory(entry) || name.starts_with('.')) {
      continue;
    }
    if (!options.class_names.empty() &&
        std::find(options.class_names.begin(), options.class_names.end(), name) ==
            options.class_names.end()) {
      throw core::Error(core::ErrorKind::Corrupt,
                        fmt::format("{}: '{}' is not among the class names{}; name every class or "
                                    "move the folder",
                                    root.string(),
                                    name,
                                    core::did_you_mean(name, options.class_names)));
    }
    found.push_back(name);
  }
  if (found.empty()) {
    refuse_file(root, "no folders: images are expected as CLASS/FILE.png");
  }
  return options.class_names.empty() ? found : options.class_names;
}

}  // namespace

ImportedSamples import_folder(const SourceOptions& options, const std::filesystem::path& folder) {
  const std::filesystem::path root = single_file(options, folder);
  Schema schema;
  schema.class_names = folder_classes(options, root);
  std::vector<std::byte> pixels;
  std::vector<int64_t> labels;
  ImportedSamples result;
  std::filesystem::path first;
  for (size_t c = 0; c < schema.class_names.size(); ++c) {
    const std::string& name = schema.class_names[c];
    size_t images = 0;
    for (const auto& file : sorted_entries(root / name)) {
      if (!core::is_image_name(file)) {
        continue;
      }
      const core::ImageFile image = core::read_image(file, options.channels);
      const std::vector<int64_t> shape = {image.channels, image.height, image.width};
      if (first.empty()) {
        first = file;
        schema.sample_shape = shape;
      } else if (shape != schema.sample_shape) {
        refuse_file(file,
                    fmt::format("an image of [{}], but {} has [{}]; bring all to one size",
                                fmt::join(shape, ", "),
                                first.string(),
                                fmt::join(schema.sample_shape, ", ")));
      }
      const auto bytes = std::as_bytes(std::span(image.pixels));
      pixels.insert(pixels.end(), bytes.begin(), bytes.end());
      labels.push_back(static_cast<int64_t>(c));
      result.origins.push_back((std::filesystem::path(name) / file.filename()).string());
      ++images;
    }
    if (images == 0) {
      refuse_file(root / name, "no PNG or JPEG images; add some or remove the folder");
    }
  }
  result.dataset = make_memory_dataset(std::move(schema), std::move(pixels), std::move(labels));
  return result;
}

}  // namespace coppice::data
