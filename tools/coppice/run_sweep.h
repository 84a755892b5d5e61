#pragma once

#include <filesystem>

#include "coppice/experiment_file.h"
#include "coppice/run.h"

namespace coppice::tools {

/// Runs the trials of a study as worker processes; what is finished stays finished. Throws
/// core::Error.
void run_sweep(const SweepOptions& options,
               const RunOptions& run,
               const std::filesystem::path& folder);

}  // namespace coppice::tools
