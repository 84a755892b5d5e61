#include "report/metrics_log.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"

namespace coppice::report {

namespace {

using core::Error;
using core::ErrorKind;
using Json = nlohmann::json;

std::string to_line(int64_t step, const std::map<std::string, double>& values) {
  Json row = {{"step", step}};
  for (const auto& [name, value] : values) {
    if (name == "step") {
      throw Error(ErrorKind::InvalidArgument, "a metric can't be called 'step'");
    }
    row[name] = std::isfinite(value) ? Json(value) : Json();
  }
  return row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

bool parse_row(std::string_view line, MetricsRow& row) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) {
    return false;
  }
  for (const auto& [name, value] : json.items()) {
    if (name == "step") {
      row.step = value.get<int64_t>();
    } else if (value.is_null()) {
      row.values[name] = std::numeric_limits<double>::quiet_NaN();
    } else if (value.is_number()) {
      row.values[name] = value.get<double>();
    } else {
      return false;
    }
  }
  return true;
}

void remove_cut_line(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) {  // a pipe or a device has no end to mend
    return;
  }
  const std::string text = core::read_text(file);
  const size_t whole = text.rfind('\n') + 1;  // npos + 1 is 0
  if (whole < text.size()) {
    std::error_code error;
    std::filesystem::resize_file(file, whole, error);
    if (error) {
      throw Error(ErrorKind::Io,
                  fmt::format("can't mend '{}': {}", file.string(), error.message()));
    }
  }
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& file) : path_(file) {
  remove_cut_line(file);
  file_.open(file, std::ios::app | std::ios::binary);
  if (!file_) {
    throw Error(ErrorKind::Io, fmt::format("can't write '{}'", file.string()));
  }
}

void MetricsLog::write(int64_t step, const std::map<std::string, double>& values) {
  file_ << to_line(step, values) << std::flush;
  if (!file_) {
    throw Error(ErrorKind::Io, fmt::format("can't write '{}': is the disk full?", path_.string()));
  }
}

std::vector<MetricsRow> read_metrics(const std::filesystem::path& file) {
  const std::string text = core::read_text(file);
  std::vector<MetricsRow> rows;
  size_t start = 0;
  for (int line = 1; start < text.size(); ++line) {
    const size_t end = text.find('\n', start);
    const bool whole = end != std::string::npos;
    MetricsRow row;
    if (parse_row(std::string_view(text).substr(start, whole ? end - start : end), row)) {
      rows.push_back(std::move(row));
    } else if (whole) {
      throw Error(
          ErrorKind::Corrupt,
          fmt::format(
              "{}:{}: not a metrics row {{\"step\": n, name: value}}", file.string(), line));
    }
    start = whole ? end + 1 : text.size();
  }
  return rows;
}

void drop_metrics_from(const std::filesystem::path& file, int64_t step) {
  if (!std::filesystem::exists(file)) {
    return;
  }
  std::string kept;
  for (const MetricsRow& row : read_metrics(file)) {
    if (row.step < step) {
      kept += to_line(row.step, row.values);
    }
  }
  core::write_file(file, kept);
}

}  // namespace coppice::report
