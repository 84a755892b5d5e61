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
/// Of versions with regression targets or columns; the others stay as they always were.
inline constexpr int64_t kExtendedFormatVersion = 2;

/// What a version's file says of itself, in the words in which it stands there.
struct Description {
  std::string hash;
  std::string schema;  ///< JSON, as the rest
  std::string statistics;
  std::string parents;
  std::string origin;
  std::string columns = {};  ///< their names; empty in plain versions
  int64_t format_version = kFormatVersion;
};

/// The bytes of a version's file, built with the HDF5 library and sealed. `name` stands in
/// messages.
Hdf5Image version_image(const std::filesystem::path& name,
                        const Description& description,
                        const Schema& schema,
                        const Batch& batch,
                        const std::vector<std::string>& origins,
                        const Columns& columns);

/// Throws Error{NotFound, Corrupt, Io}. The other readers rely on its having checked the file's
/// seal.
Description read_description(const std::filesystem::path& file);
Batch read_samples(const std::filesystem::path& file, const Schema& schema, int64_t samples);
/// The texts under `name`, one per sample; empty when none are recorded.
std::vector<std::string> read_strings(const std::filesystem::path& file,
                                      const std::string& name,
                                      int64_t samples);
/// Where the i-th column in order of names lies.
std::string column_array(size_t i);

}  // namespace coppice::data
