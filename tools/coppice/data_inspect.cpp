#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coppice/data_commands.h"
#include "report/html.h"

namespace coppice::tools {

namespace {

/// The names that a CSV file gave its features; none where it was no such file.
std::vector<std::string> feature_names(const data::Version& version) {
  const auto at = version.origin.find("features");
  if (at == version.origin.end()) {
    return {};
  }
  const auto names = nlohmann::json::parse(at->second, nullptr, false);
  return names.is_array() ? names.get<std::vector<std::string>>() : std::vector<std::string>();
}

}  // namespace

void inspect_data(const DataInspectOptions& options) {
  const auto file = find_version(options.version, options.versions);
  const data::Version version = data::describe_version(file);
  const data::Inspection inspection = data::inspect(*data::open_version(file), options.checks);
  if (options.json) {
    auto node = nlohmann::json::parse(to_json(inspection));
    node["hash"] = version.hash;
    node["parents"] = version.parents;
    node["origin"] = version.origin;
    fmt::print("{}\n", node.dump(2));
    return;
  }
  std::vector<std::vector<std::string>> rows{{"version", version.hash}};
  for (const std::string& parent : version.parents) {
    rows.push_back({"parent", parent});
  }
  for (const auto& [key, value] : version.origin) {
    rows.push_back({key, value.size() > 60 ? value.substr(0, 57) + "..." : value});
  }
  for (const auto& [name, texts] : data::read_columns(file)) {
    rows.push_back({"column", fmt::format("{} ({}, …)", name, texts.front())});
  }
  fmt::print("{}\n{}", report::text_table({"", ""}, rows), to_text(inspection));
}

void diff_data(const DataDiffOptions& options) {
  const auto before = find_version(options.before, options.versions);
  const auto after = find_version(options.after, options.versions);
  const auto difference = data::diff(*data::open_version(before),
                                     *data::open_version(after),
                                     options.thresholds,
                                     feature_names(data::describe_version(before)));
  fmt::print(
      "{}{}", options.json ? to_json(difference) : to_text(difference), options.json ? "\n" : "");
}

}  // namespace coppice::tools
