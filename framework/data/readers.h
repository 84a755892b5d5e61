#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace coppice::data {

/// MNIST's IDX format (images u8 [n, h, w], labels u8 [n]), plain or gzipped: the first bytes tell
/// which, not the name. Samples are [1, h, w].
///
/// Throws Error{NotFound, Corrupt} naming the file: wrong magic, truncated or longer than the
/// header says, altered gzip bytes, counts that differ between images and labels, labels beyond the
/// class names.
DatasetPtr read_idx(const std::filesystem::path& images,
                    const std::filesystem::path& labels,
                    std::vector<std::string> class_names);

}  // namespace coppice::data
