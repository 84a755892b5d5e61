#pragma once

#include <filesystem>
#include <string>

#include "loop/compression.h"

namespace coppice::loop {

/// The table of stages for a terminal, what they cost and what they are against the baseline.
std::string stage_table(const CompressionResult& result);

/// report.html: the table, accuracy against latency and bytes with the frontier of each, learning
/// curves, times, config.
void write_report(const CompressionResult& result,
                  const std::string& title,
                  const std::string& config,
                  const std::filesystem::path& file);

/// summary.json, and metrics.jsonl of the last stage that trains.
void write_results(const CompressionResult& result, const std::filesystem::path& folder);

}  // namespace coppice::loop
