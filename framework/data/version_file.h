#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"
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
  std::string origins_hash;  ///< of origins_digest(); "" where none are recorded

  /// SHA-256 over all of it.
  std::string digest() const;
};

std::string origins_digest(const std::vector<std::string>& origins);

/// Writes a version with the HDF5 library to a file that doesn't exist. Throws Error{Io} naming
/// `name`.
void write_version_file(const std::filesystem::path& path,
                        const std::filesystem::path& name,
                        const Description& description,
                        const Schema& schema,
                        const Batch& batch,
                        const std::vector<std::string>& origins);

/// Reading. All throw Error{NotFound, Corrupt, Io}; the description is verified against its digest.
Description read_description(const std::filesystem::path& file);
Batch read_samples(const std::filesystem::path& file, const Schema& schema, int64_t samples);
std::vector<std::string> read_origin_strings(const std::filesystem::path& file, int64_t samples);

}  // namespace coppice::data
