#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "core/process.h"

namespace coppice::jobs {

struct FailedRank {
  int64_t rank = 0;
  core::ProcessResult result;
};

/// Where a rank's stderr goes: "stderr.txt" of rank 0, "stderr.<rank>.txt" of the others.
std::filesystem::path rank_errors(const std::filesystem::path& folder, int64_t rank);

/// Runs one program as several ranks of this machine, told who they are by RANK, WORLD_SIZE,
/// LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT. Only rank 0's lines are heard.
///
/// The first that fails ends the others, politely first; returned is that one. Throws what
/// run_process throws, once all have ended.
std::optional<FailedRank> run_ranks(core::ProcessOptions program,
                                    const std::filesystem::path& folder,
                                    int64_t ranks);

}  // namespace coppice::jobs
