#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "report/metrics_log.h"

namespace coppice::report {

using Json = nlohmann::json;

void write_summary(const std::filesystem::path& file,
                   const std::map<std::string, double>& figures,
                   const std::map<std::string, std::string>& notes,
                   const std::map<std::string, double>& stage_seconds) {
  for (const auto& [name, value] : figures) {
    if (!std::isfinite(value)) {
      throw core::Error(core::ErrorKind::Numeric,
                        fmt::format("figure '{}' of '{}' is {}", name, file.string(), value));
    }
  }
  Json summary = {{"figures", figures}, {"notes", notes}};
  if (!stage_seconds.empty()) {
    summary["stages"] = stage_seconds;
  }
  core::write_file(file, summary.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::map<std::string, double> read_figures(const std::filesystem::path& file) {
  const Json summary = Json::parse(core::read_text(file), nullptr, false);
  const auto fail = [&](const std::string& what) -> core::Error {
    return {core::ErrorKind::Corrupt, fmt::format("'{}': {}", file.string(), what)};
  };
  if (!summary.is_object() || !summary.contains("figures") || !summary["figures"].is_object()) {
    throw fail("not a summary {\"figures\": {name: number}}");
  }
  std::map<std::string, double> figures;
  for (const auto& [name, value] : summary["figures"].items()) {
    if (!value.is_number()) {
      throw fail(fmt::format("figure '{}' is not a number", name));
    }
    figures[name] = value.get<double>();
  }
  return figures;
}

}  // namespace coppice::report
