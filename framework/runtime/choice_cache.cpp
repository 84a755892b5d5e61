#include "runtime/choice_cache.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"

namespace coppice::runtime {

namespace {

using ChoiceJson = nlohmann::ordered_json;

constexpr size_t kMostChoices = 256;
constexpr uintmax_t kMostBytes = 1 << 20;

/// The object of all entries, oldest first; empty for a file that is none of ours.
ChoiceJson read_choices(const std::filesystem::path& file) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(file, error);
  if (error || size > kMostBytes) {
    return ChoiceJson::object();
  }
  try {
    auto json = ChoiceJson::parse(core::read_text(file), nullptr, false);
    return json.is_object() ? json : ChoiceJson::object();
  } catch (const core::Error&) {  // gone or unreadable since: as good as missing
    return ChoiceJson::object();
  }
}

std::optional<std::vector<Timing>> timings_of(const ChoiceJson& entry) {
  std::vector<Timing> timings;
  if (!entry.is_object()) {
    return std::nullopt;
  }
  for (const auto& [backend, micros] : entry.items()) {
    if (!micros.is_number() || !(micros.get<double>() > 0)) {
      return std::nullopt;
    }
    timings.push_back({backend, micros.get<double>()});
  }
  return timings.empty() ? std::nullopt : std::optional(timings);
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

}  // namespace

size_t pick_fastest(const std::vector<Timing>& timings, double margin) {
  const auto best = std::ranges::min_element(timings, {}, &Timing::micros);
  const auto chosen = std::ranges::find_if(
      timings, [&](const Timing& one) { return one.micros <= best->micros * (1 + margin); });
  return static_cast<size_t>(chosen - timings.begin());
}

std::optional<std::vector<Timing>> ChoiceCache::find(const std::string& key) const {
  if (file_.empty()) {
    return std::nullopt;
  }
  const ChoiceJson choices = read_choices(file_);
  const auto it = choices.find(key);
  return it == choices.end() ? std::nullopt : timings_of(*it);
}

bool ChoiceCache::store(const std::string& key, const std::vector<Timing>& timings) const {
  if (file_.empty()) {
    return false;
  }
  ChoiceJson choices = read_choices(file_);
  choices.erase(key);
  while (choices.size() >= kMostChoices) {
    choices.erase(choices.begin());
  }
  for (const Timing& one : timings) {
    choices[key][one.backend] = one.micros;
  }
  std::error_code error;
  std::filesystem::create_directories(file_.parent_path(), error);
  try {
    core::write_file(file_, choices.dump(1) + "\n");
  } catch (const core::Error&) {  // a device may have no place to write: it measures again
    return false;
  }
  return true;
}

std::filesystem::path cache_file(const std::string& option) {
  if (option == "none") {
    return {};
  }
  if (!option.empty()) {
    return option;
  }
  const auto folder = [](const char* variable) {
    const char* value = std::getenv(variable);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  // The XDG specification wants a path that is not absolute ignored.
  if (const auto cache = folder("XDG_CACHE_HOME"); cache.is_absolute()) {
    return cache / "coppice" / "engine.json";
  }
  const auto home = folder("HOME");
  return home.is_absolute() ? home / ".cache" / "coppice" / "engine.json" : std::filesystem::path();
}

std::string processor_of(std::string_view cpuinfo) {
  std::string result;
  std::istringstream lines{std::string(cpuinfo)};
  for (std::string line; std::getline(lines, line) && !line.empty();) {
    const size_t colon = line.find(':');
    const std::string_view key = std::string_view(line).substr(0, line.find_first_of("\t:"));
    constexpr std::string_view kKeys[] = {
        "model name", "flags", "Features", "CPU implementer", "CPU part", "CPU variant"};
    if (colon != std::string::npos && std::ranges::find(kKeys, key) != std::end(kKeys)) {
      result += trimmed(std::string_view(line).substr(colon + 1));
      result += '\n';
    }
  }
  return result;
}

}  // namespace coppice::runtime
