#include "data/readers/csv_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "data/readers/all.h"
#include "data/readers/csv_records.h"

namespace coppice::data {

namespace {

std::string_view without_blanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

char delimiter_of(const CsvOptions& options) {
  if (options.delimiter == "tab" || options.delimiter == "\\t") {
    return '\t';
  }
  if (options.delimiter.size() != 1 || options.delimiter == "\"" || options.delimiter == "\n") {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("csv.delimiter: '{}' is not one character; use ',', ';' or 'tab'",
                                  options.delimiter));
  }
  return options.delimiter.front();
}

/// Reads the files into a table of all their rows.
class TableReader {
 public:
  explicit TableReader(const SourceOptions& source) : source_(source), options_(source.csv) {}

  Table read(const std::filesystem::path& folder) {
    for (const std::string& name : source_.files) {
      read_file(folder / name);
    }
    return std::move(table_);
  }

 private:
  void read_file(const std::filesystem::path& file) {
    const core::Bytes bytes = read_unzipped(file);
    CsvRecords records(core::as_text(bytes), delimiter_of(options_), file);
    std::vector<std::string> fields;
    bool first = true;
    size_t rows = 0;
    while (records.next(fields)) {
      const std::string place = fmt::format("{}: line {}", file.string(), records.line());
      if (first) {
        take_names(fields, file);
      }
      if (!first || !options_.header) {
        take_row(fields, place, fmt::format("{}:{}", file.filename().string(), records.line()));
        ++rows;
      }
      first = false;
    }
    if (rows == 0) {
      refuse_file(file, "no rows of data; is this the right file?");
    }
  }

  void take_names(const std::vector<std::string>& fields, const std::filesystem::path& file) {
    std::vector<std::string> names;
    for (size_t i = 0; i < fields.size(); ++i) {
      names.push_back(options_.header ? std::string(without_blanks(fields[i]))
                                      : fmt::format("{}", i));
    }
    if (table_.columns.empty()) {
      make_columns(names, file);
      return;
    }
    for (size_t i = 0; i < std::max(names.size(), table_.columns.size()); ++i) {
      if (i >= names.size() || i >= table_.columns.size() || names[i] != table_.columns[i].name) {
        refuse_file(file,
                    fmt::format("its columns differ from those of {} from column {} on; import it "
                                "on its own",
                                source_.files.front(),
                                i + 1));
      }
    }
  }

  void make_columns(const std::vector<std::string>& names, const std::filesystem::path& file) {
    for (const std::string& name : names) {
      if (std::count(names.begin(), names.end(), name) > 1) {
        refuse_file(file, fmt::format("column '{}' occurs twice; rename one", name));
      }
      table_.columns.push_back({name, ColumnRole::Number, {}, {}, {}});
    }
    const auto assign =
        [&](const std::vector<std::string>& wanted, ColumnRole role, const char* field) {
          for (const std::string& name : wanted) {
            const auto at = std::find(names.begin(), names.end(), name);
            if (at == names.end()) {
              throw core::Error(core::ErrorKind::NotFound,
                                fmt::format("csv.{}: {} has no column '{}'{}",
                                            field,
                                            file.string(),
                                            name,
                                            core::did_you_mean(name, names)));
            }
            ColumnRole& taken = table_.columns[static_cast<size_t>(at - names.begin())].role;
            if (taken != ColumnRole::Number) {
              throw core::Error(
                  core::ErrorKind::InvalidArgument,
                  fmt::format("csv.{}: column '{}' has another role already", field, name));
            }
            taken = role;
          }
        };
    if (!options_.label.empty()) {
      assign({options_.label}, ColumnRole::Label, "label");
    }
    assign(options_.targets, ColumnRole::Target, "targets");
    assign(options_.categorical, ColumnRole::Category, "categorical");
    assign(options_.columns, ColumnRole::Kept, "columns");
    assign(options_.ignored, ColumnRole::Ignored, "ignored");
  }

  void take_row(const std::vector<std::string>& fields,
                const std::string& place,
                std::string origin) {
    if (fields.size() != table_.columns.size()) {
      throw core::Error(core::ErrorKind::Corrupt,
                        fmt::format("{}: {} columns where there must be {}; mend the row",
                                    place,
                                    fields.size(),
                                    table_.columns.size()));
    }
    for (size_t i = 0; options_.missing == MissingPolicy::Drop && i < fields.size(); ++i) {
      const ColumnRole role = table_.columns[i].role;
      if (role != ColumnRole::Ignored && role != ColumnRole::Kept &&
          is_missing(without_blanks(fields[i]))) {
        ++table_.dropped;
        return;
      }
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      take_cell(table_.columns[i], without_blanks(fields[i]), place);
    }
    table_.places.push_back(std::move(origin));
  }

  void take_cell(TableColumn& column, std::string_view text, const std::string& place) {
    if (column.role == ColumnRole::Ignored) {
      return;
    }
    if (column.role == ColumnRole::Kept) {
      column.texts.emplace_back(text);
      return;
    }
    const bool missing = is_missing(text);
    const bool fillable = column.role == ColumnRole::Number || column.role == ColumnRole::Category;
    if (missing && !(fillable && options_.missing == MissingPolicy::Mean)) {
      refuse_cell(place,
                  column.name,
                  fillable ? "a missing value; fill it in, or set csv.missing to mean or drop"
                           : "its label or target is missing; fill it in, or set csv.missing to "
                             "drop");
    }
    table_.filled += missing ? 1 : 0;
    column.missing.push_back(missing);
    if (!column.is_number()) {
      column.texts.emplace_back(text);
      return;
    }
    const std::optional<double> number = missing ? std::nan("") : parse_number(text);
    if (!number) {
      refuse_cell(place,
                  column.name,
                  fmt::format("'{}' is not a finite number; is the column categorical?", text));
    }
    column.numbers.push_back(*number);
  }

  bool is_missing(std::string_view text) const {
    return std::find(options_.missing_values.begin(), options_.missing_values.end(), text) !=
           options_.missing_values.end();
  }

  const SourceOptions& source_;
  const CsvOptions& options_;
  Table table_;
};

}  // namespace

Table read_table(const SourceOptions& source, const std::filesystem::path& folder) {
  return TableReader(source).read(folder);
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool whole = error == std::errc() && stop == end && !text.empty();
  return whole && std::isfinite(static_cast<float>(value)) ? std::optional(value) : std::nullopt;
}

void refuse_cell(const std::string& place, const std::string& column, const std::string& reason) {
  throw core::Error(core::ErrorKind::Corrupt,
                    fmt::format("{}: column '{}': {}", place, column, reason));
}

}  // namespace coppice::data
