#include <nlohmann/json.hpp>

#include "jobs/executor.h"

namespace coppice::jobs {

namespace {

using Json = nlohmann::json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class T>
bool take(const Json& json, const char* key, T& value) {
  const auto it = json.find(key);
  if (it == json.end()) {
    return true;
  }
  if constexpr (std::is_same_v<T, std::string>) {
    if (!it->is_string()) {
      return false;
    }
  } else if (!it->is_number_integer()) {
    return false;
  }
  value = it->get<T>();
  return true;
}

}  // namespace

std::string to_line(const JobProgress& progress) {
  return dump(Json{{"progress",
                    {{"phase", progress.phase},
                     {"done", progress.done},
                     {"total", progress.total},
                     {"unit", progress.unit},
                     {"note", progress.note}}}});
}

bool parse_line(std::string_view line, JobProgress& progress) {
  if (!line.starts_with('{')) {
    return false;
  }
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("progress") || !json["progress"].is_object()) {
    return false;
  }
  const Json& inner = json["progress"];
  JobProgress read;
  if (!take(inner, "phase", read.phase) || !take(inner, "done", read.done) ||
      !take(inner, "total", read.total) || !take(inner, "unit", read.unit) ||
      !take(inner, "note", read.note)) {
    return false;
  }
  progress = std::move(read);
  return true;
}

}  // namespace coppice::jobs
