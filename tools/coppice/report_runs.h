#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "report/metrics_log.h"

namespace coppice::tools {

/// A finished run, as its directory tells it. A job's folder (job.yaml in place of config.yaml)
/// counts too.
struct Run {
  std::filesystem::path folder;
  std::string kind;                           ///< "train", "loop", "evaluate", …
  std::string seed;                           ///< as written; "" where there is none
  std::map<std::string, std::string> config;  ///< resolved, "student.train.epochs" → "10"
  std::map<std::string, double> figures;      ///< of summary.json
  std::vector<report::MetricsRow> rows;       ///< of metrics.jsonl; empty without one
};

struct FoundRuns {
  std::vector<Run> runs;  ///< each once, in the order named, then by path
  std::vector<std::filesystem::path>
      unfinished;  ///< met inside a named folder, without summary.json
};

/// Reads what is named: run directories, folders that hold some at any depth (a sweep stands for
/// its trials), or globs of either. Stages and data inside a run directory are not looked into.
///
/// Throws Error{NotFound} for a path without a run, Error{Refused} for a run that is named itself
/// and has not finished, Error{Corrupt, Config} for files that cannot be read.
FoundRuns find_runs(const std::vector<std::string>& named);

}  // namespace coppice::tools
