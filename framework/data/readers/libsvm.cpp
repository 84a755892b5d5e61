#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "data/readers/all.h"
#include "data/readers/numbers.h"

namespace coppice::data {

namespace {

/// Rows as they are read; features that a row does not name are 0.
struct SparseRows {
  std::vector<double> labels;
  std::vector<std::string> extras;  ///< behind "label;"; empty texts where there is none
  std::vector<std::string> files;
  std::vector<std::string> origins;
  std::vector<std::vector<std::pair<int64_t, float>>> features;
  int64_t width = 0;
};

[[noreturn]] void refuse_sparse(const std::string& place, std::string_view word) {
  throw core::Error(core::ErrorKind::Corrupt,
                    fmt::format("{}: '{}' is neither 'label', 'label;number' in front nor "
                                "'index:value' with a rising index from 1",
                                place,
                                word));
}

template <class Number>
Number parse_all(std::string_view text, const std::string& place, std::string_view word) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) {
    refuse_sparse(place, word);
  }
  return value;
}

void take_line(std::string_view line,
               const std::string& place,
               const std::string& origin,
               SparseRows& rows) {
  constexpr int64_t kMostFeatures = 10'000'000;
  int64_t previous = 0;
  bool first = true;
  std::vector<std::pair<int64_t, float>> features;
  while (!line.empty()) {
    const size_t start = line.find_first_not_of(" \t\r");
    if (start == std::string_view::npos) {
      break;
    }
    const size_t end = std::min(line.find_first_of(" \t\r", start), line.size());
    const std::string_view word = line.substr(start, end - start);
    line.remove_prefix(end);
    if (first) {
      const size_t semicolon = word.find(';');
      rows.labels.push_back(parse_all<double>(word.substr(0, semicolon), place, word));
      rows.extras.emplace_back(semicolon == std::string_view::npos ? std::string_view()
                                                                   : word.substr(semicolon + 1));
      first = false;
      continue;
    }
    const size_t colon = std::min(word.find(':'), word.size());
    const auto index = parse_all<int64_t>(word.substr(0, colon), place, word);
    if (index <= previous || index > kMostFeatures || colon + 1 >= word.size()) {
      refuse_sparse(place, word);
    }
    const auto value = static_cast<float>(parse_all<double>(word.substr(colon + 1), place, word));
    if (!std::isfinite(value)) {
      refuse_sparse(place, word);
    }
    features.emplace_back(index - 1, value);
    previous = index;
  }
  if (first) {
    return;  // a blank line
  }
  rows.width = std::max(rows.width, previous);
  rows.features.push_back(std::move(features));
  rows.origins.push_back(origin);
}

void read_sparse(const std::filesystem::path& file, SparseRows& rows) {
  const core::Bytes bytes = read_unzipped(file);
  std::string_view text = core::as_text(bytes);
  const std::string name = file.filename().string();
  const size_t before = rows.features.size();
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    take_line(text.substr(0, end),
              fmt::format("{}: line {}", file.string(), number),
              fmt::format("{}:{}", name, number),
              rows);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (rows.features.size() == before) {
    refuse_file(file, "no rows of data; is this the right file?");
  }
  rows.files.insert(
      rows.files.end(), rows.features.size() - before, name.substr(0, name.find('.')));
}

NumberArray dense(const SparseRows& rows, std::string place) {
  NumberArray array;
  array.type = NumberType::F32;
  array.place = std::move(place);
  array.shape = {static_cast<int64_t>(rows.features.size()), rows.width};
  std::vector<float> values(static_cast<size_t>(array.size()));
  for (size_t row = 0; row < rows.features.size(); ++row) {
    for (const auto& [index, value] : rows.features[row]) {
      values[row * static_cast<size_t>(rows.width) + static_cast<size_t>(index)] = value;
    }
  }
  array.bytes.resize(values.size() * sizeof(float));
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

}  // namespace

ImportedSamples import_libsvm(const SourceOptions& options, const std::filesystem::path& folder) {
  SparseRows rows;
  for (const std::string& file : options.files) {
    read_sparse(folder / file, rows);
  }
  const std::string place = fmt::format("{}", fmt::join(options.files, ", "));
  NumberArray labels;
  labels.type = NumberType::F64;
  labels.place = place;
  labels.shape = {static_cast<int64_t>(rows.labels.size())};
  labels.bytes.resize(rows.labels.size() * sizeof(double));
  std::memcpy(labels.bytes.data(), rows.labels.data(), labels.bytes.size());
  ImportedSamples result = assemble(options, dense(rows, place), labels);
  result.origins = std::move(rows.origins);
  result.columns["file"] = std::move(rows.files);
  const bool extras = std::any_of(
      rows.extras.begin(), rows.extras.end(), [](const auto& text) { return !text.empty(); });
  if (extras) {
    result.columns["extra"] = std::move(rows.extras);
  }
  return result;
}

}  // namespace coppice::data
