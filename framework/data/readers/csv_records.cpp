#include "data/readers/csv_records.h"

#include <algorithm>

#include <fmt/format.h>

#include "data/readers/all.h"

namespace coppice::data {

CsvRecords::CsvRecords(std::string_view text, char delimiter, std::filesystem::path file)
    : text_(text), delimiter_(delimiter), file_(std::move(file)) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text_.starts_with(kByteOrderMark)) {
    position_ = kByteOrderMark.size();
  }
}

void CsvRecords::refuse_line(int64_t line, std::string_view reason) const {
  refuse_file(file_, fmt::format("line {}: {}", line, reason));
}

bool CsvRecords::at_line_end() const {
  return text_[position_] == '\n' || text_.substr(position_).starts_with("\r\n");
}

void CsvRecords::skip_line_end() {
  position_ += text_[position_] == '\r' ? 2 : 1;
  ++line_;
}

std::string CsvRecords::read_quoted() {
  const int64_t first_line = line_;
  std::string field;
  for (++position_; position_ < text_.size(); ++position_) {
    const char c = text_[position_];
    if (c == '"') {
      if (position_ + 1 == text_.size() || text_[position_ + 1] != '"') {
        ++position_;
        if (position_ < text_.size() && text_[position_] != delimiter_ && !at_line_end()) {
          refuse_line(line_, "text behind a closing quote; double quotes within a field: \"\"");
        }
        return field;
      }
      ++position_;
    }
    line_ += c == '\n' ? 1 : 0;
    field += c;
  }
  refuse_line(first_line, "a quote that is not closed before the end of the file");
}

std::string CsvRecords::read_field() {
  if (position_ < text_.size() && text_[position_] == '"') {
    return read_quoted();
  }
  const size_t start = position_;
  while (position_ < text_.size() && text_[position_] != delimiter_ && !at_line_end()) {
    if (text_[position_] == '"') {
      refuse_line(line_, "a quote within a field that does not begin with one; quote the field");
    }
    ++position_;
  }
  return std::string(text_.substr(start, position_ - start));
}

bool CsvRecords::next(std::vector<std::string>& fields) {
  while (position_ < text_.size() && at_line_end()) {
    skip_line_end();
  }
  fields.clear();
  if (position_ >= text_.size()) {
    return false;
  }
  record_line_ = line_;
  fields.push_back(read_field());
  while (position_ < text_.size() && text_[position_] == delimiter_) {
    ++position_;
    fields.push_back(read_field());
  }
  if (position_ < text_.size()) {
    skip_line_end();
  }
  return true;
}

}  // namespace coppice::data
