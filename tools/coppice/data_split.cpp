#include <charconv>

#include <fmt/format.h>

#include "coppice/data_commands.h"
#include "core/config.h"
#include "core/error.h"
#include "data/split.h"
#include "report/html.h"

namespace coppice::tools {

namespace {

data::SplitPart parse_part(const std::string& text) {
  const size_t equals = text.find('=');
  data::SplitPart part{text.substr(0, equals), 0};
  if (equals != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + equals + 1, end, part.share);
    if (error == std::errc() && stop == end && !part.name.empty()) {
      return part;
    }
  }
  throw core::Error(core::ErrorKind::InvalidArgument,
                    fmt::format("--part: '{}' is not NAME=SHARE; write train=0.8", text));
}

data::SplitOptions split_options(const DataSplitOptions& options) {
  if (!options.file.empty()) {
    return core::read_options<data::SplitOptions>(core::load_config(options.file));
  }
  const core::ConfigNode words = core::parse_config_text(
      fmt::format("{{method: {}, seed: {}}}", options.method, options.seed), "--method, --seed");
  auto split = core::read_options<data::SplitOptions>(words);
  split.column = options.column;
  if (!options.parts.empty()) {
    split.parts.clear();
    for (const std::string& part : options.parts) {
      split.parts.push_back(parse_part(part));
    }
  }
  return split;
}

std::vector<std::string> picked(const std::vector<std::string>& texts,
                                const std::vector<int64_t>& indices) {
  std::vector<std::string> result;
  for (const int64_t index : indices) {
    if (!texts.empty()) {
      result.push_back(texts[static_cast<size_t>(index)]);
    }
  }
  return result;
}

}  // namespace

void split_data(const DataSplitOptions& options) {
  const data::SplitOptions how = split_options(options);
  const auto file = find_version(options.version, options.versions);
  const data::Version whole = data::describe_version(file);
  const data::DatasetPtr dataset = data::open_version(file);
  const data::Columns columns = data::read_columns(file);
  const std::vector<std::string> origins = data::read_origins(file);
  const auto parts = data::split(*dataset, columns, how);
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < parts.size(); ++i) {
    data::Columns part_columns;
    for (const auto& [name, texts] : columns) {
      part_columns[name] = picked(texts, parts[i]);
    }
    std::map<std::string, std::string> origin = whole.origin;
    origin["part"] = how.parts[i].name;
    origin["split"] = core::dump_options(how);
    const data::Version version = data::write_version(options.versions,
                                                      *data::make_subset(dataset, parts[i]),
                                                      {whole.hash},
                                                      std::move(origin),
                                                      picked(origins, parts[i]),
                                                      part_columns);
    rows.push_back({how.parts[i].name,
                    fmt::format("{}", parts[i].size()),
                    fmt::format("{:.1f} %",
                                100 * static_cast<double>(parts[i].size()) /
                                    static_cast<double>(dataset->size())),
                    version.file.string()});
  }
  fmt::print("{}\n", report::text_table({"part", "samples", "share", "version"}, rows));
}

}  // namespace coppice::tools
