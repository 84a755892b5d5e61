#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/reader.h"

namespace coppice::data {

enum class ColumnRole { Number, Category, Label, Target, Kept, Ignored };

/// A column as it is read: numbers (NaN where missing) or texts.
struct TableColumn {
  std::string name;
  ColumnRole role = ColumnRole::Number;
  std::vector<double> numbers;
  std::vector<std::string> texts;
  std::vector<bool> missing;

  bool is_number() const { return role == ColumnRole::Number || role == ColumnRole::Target; }
};

struct Table {
  std::vector<TableColumn> columns;
  int64_t filled = 0;               ///< missing values that are to be filled
  int64_t dropped = 0;              ///< rows left out for a missing value
  std::vector<std::string> places;  ///< "train.csv:17" of each row

  size_t rows() const { return places.size(); }
};

/// Reads all files of a CSV source, each cell as its column's role asks. With the policy `Drop`
/// rows with a missing value are left out; with `Mean` features may be missing.
///
/// Throws Error{NotFound, Corrupt, InvalidArgument} naming file, line and column: rows of another
/// length, missing values, text where a number must be, columns that do not exist.
Table read_table(const SourceOptions& source, const std::filesystem::path& folder);

/// A finite number that f32 can hold, written out in full.
std::optional<double> parse_number(std::string_view text);

[[noreturn]] void refuse_cell(const std::string& place,
                              const std::string& column,
                              const std::string& reason);

}  // namespace coppice::data
