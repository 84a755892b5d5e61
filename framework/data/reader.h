#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/fields.h"
#include "core/registry.h"
#include "data/dataset.h"

namespace coppice::data {

/// What a missing value means: an error, the column's mean (of categories: the most frequent), or
/// a sample that is left out.
enum class MissingPolicy { Refuse, Mean, Drop };

/// How categories become numbers: a feature for each, or their position in alphabetical order.
enum class CategoryEncoding { OneHot, Codes };

/// CSV (RFC 4180). Columns go by their name in the header, without one by their position from 0.
/// Every column that has no other role is a numeric feature.
struct CsvOptions {
  bool header = true;
  std::string delimiter = ",";           ///< one character, or "tab"
  std::string label;                     ///< column of the class; empty: none
  std::vector<std::string> targets;      ///< columns to regress
  std::vector<std::string> categorical;  ///< features that are categories
  std::vector<std::string> columns;      ///< kept beside the samples: groups, times
  std::vector<std::string> ignored;      ///< columns that are left out
  CategoryEncoding encoding = CategoryEncoding::OneHot;
  MissingPolicy missing = MissingPolicy::Refuse;
  std::vector<std::string> missing_values = {"", "NA", "NaN", "nan", "null", "?"};

  void visit(core::Fields& f);
};

/// A file of one value per sample, kept beside the samples.
struct ColumnFile {
  std::string name;
  std::string file;  ///< NPY, one-dimensional

  void visit(core::Fields& f);
};

struct Hdf5Options {
  std::string samples = "samples";
  std::string labels = "labels";  ///< empty: none

  void visit(core::Fields& f);
};

/// Where samples come from and how they are read.
struct SourceOptions {
  std::string format;                    ///< see readers()
  std::string task = "classification";   ///< or "regression", "reconstruction"
  std::vector<std::string> files;        ///< of samples
  std::vector<std::string> label_files;  ///< idx, npy: labels or targets
  std::vector<std::string> class_names;  ///< empty: as the files tell them
  int64_t first_label = 0;               ///< number of the first class in the files
  std::vector<int64_t> sample_shape;     ///< empty: as the files tell it
  std::vector<ColumnFile> columns;       ///< npy, idx, hdf5
  int64_t channels = 3;                  ///< images: 1 grey, 3 RGB
  CsvOptions csv;
  Hdf5Options hdf5;

  void visit(core::Fields& f);
};

/// What a reader gives, ready for write_version().
struct ImportedSamples {
  DatasetPtr dataset;
  std::vector<std::string> origins;  ///< one per sample ("train.csv:17"), or none
  Columns columns;
  std::map<std::string, std::string> notes;  ///< for Version::origin: features, categories, …
};

using Reader = ImportedSamples (*)(const SourceOptions& options,
                                   const std::filesystem::path& folder);

/// "idx", "csv", "npy", "cifar10", "cifar100", "folder", "hdf5", "libsvm". Relative files are taken
/// from `folder`. Files may be gzipped, but for images and HDF5.
///
/// All throw Error{NotFound, Corrupt, InvalidArgument, Unsupported} naming the file and the row or
/// offset: truncated or malformed files, labels out of range, images of differing sizes, values
/// that are not finite, nothing to read.
const core::Registry<Reader>& readers();

/// Reads with the reader of `options.format`. Throws what the reader throws.
ImportedSamples read_source(const SourceOptions& options, const std::filesystem::path& folder);

}  // namespace coppice::data
