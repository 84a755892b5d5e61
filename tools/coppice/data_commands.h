#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/diff.h"
#include "data/inspect.h"
#include "data/store.h"

namespace coppice::tools {

/// A version by its file, or by the first digits of its hash in `versions`. Throws
/// Error{NotFound, InvalidArgument}: none, or more than one.
std::filesystem::path find_version(const std::string& name, const std::filesystem::path& versions);

struct DataImportOptions {
  std::string manifest;
  std::vector<std::string> overrides;
  std::filesystem::path from;  ///< folder of the files; empty: the manifest's
  std::filesystem::path to;
  std::vector<std::string> parts;  ///< empty: all
  std::string parent;              ///< version to compare with and to name as parent
  bool json = false;
};

/// Reads, checks and writes the parts of a known data set. Throws core::Error.
void import_data(const DataImportOptions& options);

struct DataInspectOptions {
  std::string version;
  std::filesystem::path versions;
  data::InspectOptions checks;
  bool json = false;
};

void inspect_data(const DataInspectOptions& options);

struct DataDiffOptions {
  std::string before;
  std::string after;
  std::filesystem::path versions;
  data::DiffOptions thresholds;
  bool json = false;
};

void diff_data(const DataDiffOptions& options);

struct DataSplitOptions {
  std::string version;
  std::filesystem::path versions;
  std::string method = "stratified";
  std::string column;
  int64_t seed = 1;
  std::vector<std::string> parts;  ///< "train=0.8"; empty: as in the options file or the default
  std::string file;                ///< YAML of data::SplitOptions; empty: none
};

void split_data(const DataSplitOptions& options);

}  // namespace coppice::tools
