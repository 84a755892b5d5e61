#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "data/readers/all.h"
#include "data/readers/csv_table.h"

namespace coppice::data {

namespace {

[[noreturn]] void refuse_all_missing(const std::string& name) {
  throw core::Error(core::ErrorKind::Corrupt,
                    fmt::format("column '{}' has no value at all; list it in csv.ignored", name));
}

/// Fills what is missing by the mean of what is there.
void fill_numbers(TableColumn& column) {
  double sum = 0;
  double count = 0;
  for (size_t i = 0; i < column.numbers.size(); ++i) {
    sum += column.missing[i] ? 0 : column.numbers[i];
    count += column.missing[i] ? 0 : 1;
  }
  if (count == 0) {
    refuse_all_missing(column.name);
  }
  for (size_t i = 0; i < column.numbers.size(); ++i) {
    column.numbers[i] = column.missing[i] ? sum / count : column.numbers[i];
  }
}

/// Fills what is missing by the most frequent text, the first in order among equals.
void fill_texts(TableColumn& column) {
  std::map<std::string, int64_t> counts;
  for (size_t i = 0; i < column.texts.size(); ++i) {
    counts[column.texts[i]] += column.missing[i] ? 0 : 1;
  }
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      });
  if (most == counts.end() || most->second == 0) {
    refuse_all_missing(column.name);
  }
  for (size_t i = 0; i < column.texts.size(); ++i) {
    column.texts[i] = column.missing[i] ? most->first : column.texts[i];
  }
}

/// Whole numbers in their order, anything else in that of the alphabet.
std::vector<std::string> distinct_texts(const std::vector<std::string>& texts) {
  const std::set<std::string> distinct(texts.begin(), texts.end());
  std::vector<std::string> sorted(distinct.begin(), distinct.end());
  if (std::all_of(sorted.begin(), sorted.end(), [](const auto& t) { return parse_number(t); })) {
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
      return *parse_number(a) < *parse_number(b);
    });
  }
  return sorted;
}

size_t position_in(const std::vector<std::string>& texts, const std::string& text) {
  return static_cast<size_t>(std::find(texts.begin(), texts.end(), text) - texts.begin());
}

/// One number per row for each feature.
struct Features {
  std::vector<std::string> names;
  std::vector<std::vector<float>> values;
  nlohmann::json categories = nlohmann::json::object();

  void add_number(TableColumn& column) {
    fill_numbers(column);
    names.push_back(column.name);
    values.emplace_back(column.numbers.begin(), column.numbers.end());
  }

  void add_category(TableColumn& column, CategoryEncoding encoding) {
    fill_texts(column);
    const std::vector<std::string> words = distinct_texts(column.texts);
    categories[column.name] = words;
    const bool one_hot = encoding == CategoryEncoding::OneHot;
    const size_t first = values.size();
    for (size_t k = 0; k < (one_hot ? words.size() : 1); ++k) {
      names.push_back(one_hot ? fmt::format("{}={}", column.name, words[k]) : column.name);
      values.emplace_back(column.texts.size(), 0.0F);
    }
    for (size_t row = 0; row < column.texts.size(); ++row) {
      const size_t code = position_in(words, column.texts[row]);
      if (one_hot) {
        values[first + code][row] = 1;
      } else {
        values[first][row] = static_cast<float>(code);
      }
    }
  }

  std::vector<std::byte> rows(size_t count) const {
    std::vector<float> flat(count * values.size());
    for (size_t k = 0; k < values.size(); ++k) {
      for (size_t row = 0; row < count; ++row) {
        flat[row * values.size() + k] = values[k][row];
      }
    }
    std::vector<std::byte> bytes(flat.size() * sizeof(float));
    std::memcpy(bytes.data(), flat.data(), bytes.size());
    return bytes;
  }
};

std::vector<int64_t> labels_of_texts(const TableColumn& column,
                                     const std::vector<std::string>& places,
                                     std::vector<std::string>& class_names) {
  if (class_names.empty()) {
    class_names = distinct_texts(column.texts);
  }
  std::vector<int64_t> labels;
  for (size_t row = 0; row < column.texts.size(); ++row) {
    const size_t label = position_in(class_names, column.texts[row]);
    if (label == class_names.size()) {
      refuse_cell(places[row],
                  column.name,
                  fmt::format("class '{}' is not among the class names{}",
                              column.texts[row],
                              core::did_you_mean(column.texts[row], class_names)));
    }
    labels.push_back(static_cast<int64_t>(label));
  }
  return labels;
}

void check_roles(const SourceOptions& options) {
  const bool classify = options.task == "classification";
  const bool regress = options.task == "regression";
  if (classify == options.csv.label.empty() || regress == options.csv.targets.empty()) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        "a CSV source needs csv.label for task: classification, csv.targets for task: "
        "regression, and neither for task: reconstruction");
  }
}

void set_sample_shape(const SourceOptions& options, Schema& schema, size_t features) {
  schema.sample_shape = {static_cast<int64_t>(features)};
  if (options.sample_shape.empty()) {
    return;
  }
  schema.sample_shape = options.sample_shape;
  if (schema.sample_elements() != static_cast<int64_t>(features)) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("{}: {} features do not make samples of [{}]; change "
                                  "'sample_shape' or the columns",
                                  options.files.front(),
                                  features,
                                  fmt::join(options.sample_shape, ", ")));
  }
}

}  // namespace

ImportedSamples import_csv(const SourceOptions& options, const std::filesystem::path& folder) {
  check_roles(options);
  Table table = read_table(options, folder);
  if (table.rows() == 0) {
    refuse_file(folder / options.files.front(), "every row misses a value and is dropped");
  }
  Schema schema;
  schema.task = options.task;
  schema.type = ElementType::F32;
  schema.class_names = options.class_names;
  Features features;
  std::vector<int64_t> labels(table.rows(), -1);
  std::vector<const TableColumn*> targets;
  ImportedSamples result;
  for (TableColumn& column : table.columns) {
    switch (column.role) {
      case ColumnRole::Number:
        features.add_number(column);
        break;
      case ColumnRole::Category:
        features.add_category(column, options.csv.encoding);
        break;
      case ColumnRole::Label:
        labels = labels_of_texts(column, table.places, schema.class_names);
        break;
      case ColumnRole::Target:
        schema.target_names.push_back(column.name);
        targets.push_back(&column);
        break;
      case ColumnRole::Kept:
        result.columns[column.name] = column.texts;
        break;
      case ColumnRole::Ignored:
        break;
    }
  }
  if (features.names.empty()) {
    refuse_file(folder / options.files.front(), "no column is left as a feature");
  }
  set_sample_shape(options, schema, features.names.size());
  std::vector<float> target_values;
  for (size_t row = 0; row < table.rows(); ++row) {
    for (const TableColumn* target : targets) {
      target_values.push_back(static_cast<float>(target->numbers[row]));
    }
  }
  result.notes["features"] = nlohmann::json(features.names).dump();
  if (!features.categories.empty()) {
    result.notes["categories"] = features.categories.dump();
  }
  if (table.filled > 0) {
    result.notes["missing_filled"] = fmt::format("{}", table.filled);
  }
  if (table.dropped > 0) {
    result.notes["rows_dropped"] = fmt::format("{}", table.dropped);
  }
  result.origins = table.places;
  result.dataset = make_memory_dataset(
      std::move(schema), features.rows(table.rows()), std::move(labels), std::move(target_values));
  return result;
}

}  // namespace coppice::data
