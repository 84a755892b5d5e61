#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/reader.h"

namespace coppice::data {

enum class NumberType { Bool, I8, U8, I16, U16, I32, U32, I64, U64, F32, F64 };

int64_t size_bytes(NumberType type);

/// An array as a file holds it: row-major, little endian.
struct NumberArray {
  NumberType type = NumberType::F64;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;
  std::string place;  ///< for messages: "x.npy", "x.h5:/samples"

  int64_t size() const;  ///< elements
  double number(int64_t i) const;
};

/// Samples [n, …] and, with classification or regression, labels or targets, as the options say:
/// bytes stay bytes, all else becomes f32.
///
/// Throws Error{Corrupt} naming place and row: counts that differ, a value that is not finite or
/// does not fit f32, a label that is no whole number or out of range.
ImportedSamples assemble(const SourceOptions& options,
                         NumberArray samples,
                         const std::optional<NumberArray>& labels);

/// A class index for each number; without names in the options, classes are named by their number.
/// Throws as assemble().
std::vector<int64_t> labels_from(const SourceOptions& options,
                                 const NumberArray& labels,
                                 std::vector<std::string>& class_names);

/// The options' column files. Throws Error{Corrupt} for one that has not a value per sample.
Columns read_column_files(const SourceOptions& options,
                          const std::filesystem::path& folder,
                          int64_t samples);

/// NPY, format versions 1.0 to 3.0, C order, little endian; plain or gzipped. Throws
/// Error{NotFound, Corrupt, Unsupported}.
NumberArray read_npy(const std::filesystem::path& file);

}  // namespace coppice::data
