#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/statistics.h"

namespace coppice::data {

/// An immutable data-set version: an HDF5 file named by the hash of its content.
struct Version {
  std::string hash;                           ///< SHA-256 over schema, samples, labels and parents
  std::filesystem::path file;                 ///< <folder>/<hash>.h5
  Schema schema;
  Statistics statistics;
  std::vector<std::string> parents;           ///< hashes of the versions it was made from
  std::map<std::string, std::string> origin;  ///< "source" → file or device, "imported" → …; not part of the hash
};

/// Writes (atomically) a version into `folder`; a version that is there already is found again, not written twice.
/// `origins` (optional, one per sample): where each sample came from ("edge-3/42").
Version write_version(const std::filesystem::path& folder, const Dataset& dataset, std::vector<std::string> parents,
                      std::map<std::string, std::string> origin, const std::vector<std::string>& origins = {});

/// Reads schema and statistics only. Throws Error{NotFound, Corrupt}.
Version describe_version(const std::filesystem::path& file);

/// Loads the samples into memory and verifies them against the content hash. Throws Error{Corrupt}.
DatasetPtr open_version(const std::filesystem::path& file);

}  // namespace coppice::data
