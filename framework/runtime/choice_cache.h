#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace coppice::runtime {

/// What one backend needed for a run.
struct Timing {
  std::string backend;
  double micros = 0;

  bool operator==(const Timing&) const = default;
};

/// The position of the fastest; the earlier one of those within `margin` of it, so that noise does
/// not turn a choice over. REQUIRES: not empty.
size_t pick_fastest(const std::vector<Timing>& timings, double margin = 0.02);

/// What "auto" chose, by a key that names hardware, libraries, options and model: a JSON file.
///
/// Several processes may share it. Each write replaces the file as a whole, so one may lose what
/// another stored at the same moment: that is measured again.
class ChoiceCache {
 public:
  /// An empty path: nothing is found or kept.
  explicit ChoiceCache(std::filesystem::path file) : file_(std::move(file)) {}

  const std::filesystem::path& file() const { return file_; }

  /// nullopt for an unknown key, and for a file that is missing or damaged.
  std::optional<std::vector<Timing>> find(const std::string& key) const;

  /// False when the file can't be written. The oldest entries give way beyond 256.
  bool store(const std::string& key, const std::vector<Timing>& timings) const;

 private:
  std::filesystem::path file_;
};

/// Where EngineOptions::cache points: the file, the default, or nothing.
std::filesystem::path cache_file(const std::string& option);

/// Model and features of the first processor in a text like /proc/cpuinfo.
std::string processor_of(std::string_view cpuinfo);

}  // namespace coppice::runtime
