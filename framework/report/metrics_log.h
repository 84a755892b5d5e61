#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace coppice::report {

/// metrics.jsonl: one JSON object per line, {"step": …, name: value…}; flushed line by line.
class MetricsLog {
 public:
  explicit MetricsLog(const std::filesystem::path& file);    ///< appends
  void write(int64_t step, const std::map<std::string, double>& values);

 private:
  std::ofstream file_;
};

struct MetricsRow {
  int64_t step = 0;
  std::map<std::string, double> values;
};

/// A last line cut short by a kill is left out. Throws Error{NotFound, Corrupt} naming the line.
std::vector<MetricsRow> read_metrics(const std::filesystem::path& file);

/// summary.json: {"figures": {…}, "notes": {…}}; keys sorted, atomic.
void write_summary(const std::filesystem::path& file, const std::map<std::string, double>& figures,
                   const std::map<std::string, std::string>& notes);
std::map<std::string, double> read_figures(const std::filesystem::path& file);

}  // namespace coppice::report
