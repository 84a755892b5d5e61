#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/hdf5_image.h"
#include "data/statistics.h"
#include "data/store.h"

namespace coppice::data {

inline constexpr const char* kFormat = "coppice-dataset";
inline constexpr int64_t kFormatVersion = 1;

/// What a version's file says of itself, in the words in which it stands there.
struct Description {
  std::string hash;
  std::string schema;  ///< JSON, as the rest
  std::string statistics;
  std::string parents;
  std::string origin;
};

/// The bytes of a version's file, built with the HDF5 library and sealed. `name` stands in
/// messages.
Hdf5Image version_image(const std::filesystem::path& name,
                        const Description& description,
                        const Schema& schema,
                        const Batch& batch,
                        const std::vector<std::string>& origins);

/// Throws Error{NotFound, Corrupt, Io}. The other readers rely on its having checked the file's
/// seal.
Description read_description(const std::filesystem::path& file);
Batch read_samples(const std::filesystem::path& file, const Schema& schema, int64_t samples);
/// Empty when none are recorded.
std::vector<std::string> read_origin_strings(const std::filesystem::path& file, int64_t samples);

}  // namespace coppice::data
