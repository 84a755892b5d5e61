#include "report/columns.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "report/html.h"

namespace coppice::report {

namespace {

/// A blank cell goes with either kind.
bool is_blank(std::string_view text) {
  return text.empty() || text == "-" || text == "–";
}

bool is_number(std::string_view text) {
  const bool starts = text.find_first_of("0123456789") <= 1;  // a sign or a point may come first
  return starts && text.find_first_not_of("0123456789.,+-eE% x") == std::string_view::npos;
}

std::string padded(const std::string& text, size_t width, bool right) {
  const std::string space(width - display_width(text), ' ');
  return right ? space + text : text + space;
}

}  // namespace

void check_rows(const std::vector<std::string>& header,
                const std::vector<std::vector<std::string>>& rows) {
  for (const auto& row : rows) {
    if (row.size() != header.size()) {
      throw core::Error(
          core::ErrorKind::InvalidArgument,
          fmt::format("a table row has {} cells, its header {}", row.size(), header.size()));
    }
  }
}

std::vector<bool> number_columns(size_t columns,
                                 const std::vector<std::vector<std::string>>& rows) {
  std::vector<bool> result(columns);
  for (size_t i = 0; i < columns; ++i) {
    bool any = false;
    const bool all = std::all_of(rows.begin(), rows.end(), [&](const auto& row) {
      any = any || is_number(row[i]);
      return is_blank(row[i]) || is_number(row[i]);
    });
    result[i] = any && all;
  }
  return result;
}

size_t display_width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // not the inside of a UTF-8 sequence
  }));
}

std::string text_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows) {
  check_rows(header, rows);
  const std::vector<bool> numbers = number_columns(header.size(), rows);
  std::vector<size_t> widths;
  for (size_t i = 0; i < header.size(); ++i) {
    size_t width = display_width(header[i]);
    for (const auto& row : rows) {
      width = std::max(width, display_width(row[i]));
    }
    widths.push_back(width);
  }
  std::string out;
  const auto append = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      line += (i > 0 ? "  " : "") + padded(cells[i], widths[i], numbers[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  append(header);
  std::vector<std::string> rules;
  for (const size_t width : widths) {
    rules.emplace_back(width, '-');
  }
  append(rules);
  for (const auto& row : rows) {
    append(row);
  }
  return out;
}

}  // namespace coppice::report
