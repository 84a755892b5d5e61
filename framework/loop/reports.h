#pragma once

#include <filesystem>
#include <string>

#include "loop/closed_loop.h"
#include "loop/experiment.h"

namespace coppice::loop {

/// The table of days for a terminal.
std::string day_table(const LoopResult& result);

/// report.html: accuracy over days for the frozen model and the loop, uploads, releases, confusion
/// before and after, stages, config.
void write_report(const LoopResult& result,
                  const std::string& title,
                  const std::string& config,
                  const std::filesystem::path& file);

/// metrics.jsonl (one row per day) and summary.json.
void write_results(const LoopResult& result, const std::filesystem::path& folder);

void write_report(const ExperimentResult& result,
                  const std::string& title,
                  const std::string& config,
                  const std::filesystem::path& file);

}  // namespace coppice::loop
