#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace coppice::report {

/// metrics.jsonl: one JSON object per line, {"step": …, name: value…}; flushed line by line.
class MetricsLog {
 public:
  /// Appends; a last line that a kill cut short is removed first. Throws Error{Io}.
  explicit MetricsLog(const std::filesystem::path& file);

  /// A value that is not finite is written as null and reads back as NaN. Throws Error{Io} on a
  /// full disk, Error{InvalidArgument} for a value called "step".
  void write(int64_t step, const std::map<std::string, double>& values);

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

struct MetricsRow {
  int64_t step = 0;
  std::map<std::string, double> values;
};

/// A last line cut short by a kill is left out. Throws Error{NotFound, Corrupt} naming the line.
std::vector<MetricsRow> read_metrics(const std::filesystem::path& file);

/// Removes the rows of `step` and later, for a run that goes on from a checkpoint and would write
/// them again. Nothing happens when there is no file.
void drop_metrics_from(const std::filesystem::path& file, int64_t step);

/// summary.json: {"figures": {…}, "notes": {…}, "stages": {name: seconds}}; keys sorted, atomic.
/// Throws Error{Numeric} naming the first figure that is not finite; the file is then as it was.
void write_summary(const std::filesystem::path& file,
                   const std::map<std::string, double>& figures,
                   const std::map<std::string, std::string>& notes,
                   const std::map<std::string, double>& stage_seconds = {});

/// Throws Error{NotFound, Corrupt}.
std::map<std::string, double> read_figures(const std::filesystem::path& file);

}  // namespace coppice::report
