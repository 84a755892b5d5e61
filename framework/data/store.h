#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/statistics.h"

namespace coppice::data {

/// An immutable data-set version: an HDF5 file named by the hash of its content.
///
/// For h5py and other readers: `/samples` [n, sample shape] (u8 or f32), `/labels` [n] (i64, -1
/// where unknown), `/origins` [n] (UTF-8 of fixed length, where recorded), and the root attributes
/// `format`, `format_version`, `hash` and, as JSON, `schema`, `statistics`, `parents` and `origin`
/// (`json.loads(file.attrs["schema"])`). Where there are such, format version 2 adds `/targets`
/// [n, k] (f32), and `/column_0`, `/column_1`, … [n] (UTF-8 of fixed length) for the names in the
/// attribute `columns`. The same content gives the same bytes.
struct Version {
  std::string hash;            ///< SHA-256 over schema, samples, labels, targets, columns, parents
  std::filesystem::path file;  ///< <folder>/<hash>.h5
  Schema schema;
  Statistics statistics;
  std::vector<std::string> parents;  ///< hashes of the versions it was made from
  std::map<std::string, std::string>
      origin;  ///< "source" → file or device, "imported" → …; not part of the hash
};

/// Writes (atomically) a version into `folder`; a version that is there already is verified and
/// found again, not written twice, and keeps the origins that it was written with.
///
/// `origins` (optional, one per sample, at most 255 bytes each): where each sample came from
/// ("edge-3/42"). `columns` (optional, each with a text of at most 255 bytes per sample) are part
/// of the content: splits follow from them. Throws Error{InvalidArgument} for an empty data set, a
/// non-finite value, text that is not UTF-8, too long origins or columns or a wrong number of them;
/// Error{Io} when the folder can't be written or the disk is full (other versions stay as they
/// are); Error{Corrupt} when the version that is there was altered.
Version write_version(const std::filesystem::path& folder,
                      const Dataset& dataset,
                      std::vector<std::string> parents,
                      std::map<std::string, std::string> origin,
                      const std::vector<std::string>& origins = {},
                      const Columns& columns = {});

/// Reads schema and statistics only. Throws Error{NotFound, Corrupt, Io}.
Version describe_version(const std::filesystem::path& file);

/// Loads the samples into memory and verifies them against the content hash, and the hash against
/// the name where that is a hash. Throws Error{NotFound, Corrupt, Io}.
DatasetPtr open_version(const std::filesystem::path& file);

/// Where each sample came from, verified; empty when that was not recorded. Throws Error{NotFound,
/// Corrupt, Io}.
std::vector<std::string> read_origins(const std::filesystem::path& file);

/// What was recorded of each sample beside its schema, verified. Throws Error{NotFound, Corrupt,
/// Io}.
Columns read_columns(const std::filesystem::path& file);

}  // namespace coppice::data
