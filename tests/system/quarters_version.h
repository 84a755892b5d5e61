#pragma once

#include <filesystem>

#include "data/dataset.h"
#include "data/store.h"
#include "loop/idx_files.h"

namespace coppice::testing {

/// quarters() of 12 x 12 in four classes, as a data-set version in `folder`.
inline std::filesystem::path write_quarters_version(const std::filesystem::path& folder,
                                                    int64_t count) {
  const Images images = quarters(count, 12, 4, 1);
  data::Schema schema;
  schema.sample_shape = {1, 12, 12};
  schema.class_names = {"top left", "top right", "bottom left", "bottom right"};
  std::vector<int64_t> labels;
  for (const std::byte label : images.labels) {
    labels.push_back(std::to_integer<int64_t>(label));
  }
  const auto dataset = data::make_memory_dataset(schema, images.pixels, labels);
  return data::write_version(folder, *dataset, {}, {}).file;
}

}  // namespace coppice::testing
