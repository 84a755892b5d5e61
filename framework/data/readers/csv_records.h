#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace coppice::data {

/// The records of a CSV text by RFC 4180: fields in double quotes may hold delimiters, line breaks
/// and doubled quotes; lines end in LF or CRLF. Blank lines are skipped, a UTF-8 byte order mark
/// too.
class CsvRecords {
 public:
  /// REQUIRES: `text` outlives this. `file` stands in messages.
  CsvRecords(std::string_view text, char delimiter, std::filesystem::path file);

  /// False at the end. Throws Error{Corrupt} naming file and line: a quote that is not closed, or
  /// one within a field that does not begin with it.
  bool next(std::vector<std::string>& fields);

  /// Where the record that was read last begins, from 1.
  int64_t line() const { return record_line_; }

 private:
  std::string read_field();
  std::string read_quoted();
  bool at_line_end() const;
  void skip_line_end();
  [[noreturn]] void refuse_line(int64_t line, std::string_view reason) const;

  std::string_view text_;
  size_t position_ = 0;
  char delimiter_;
  std::filesystem::path file_;
  int64_t line_ = 1;
  int64_t record_line_ = 0;
};

}  // namespace coppice::data
