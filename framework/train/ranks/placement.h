#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace coppice::train {

/// Where this process stands among those that train one network together.
struct Placement {
  int64_t rank = 0;
  int64_t ranks = 1;
  int64_t ranks_here = 1;  ///< sharing this machine's cores
  int64_t local_rank = 0;  ///< among those
  std::string host = {};   ///< of rank 0, where all meet
  uint16_t port = 0;
  /// Seconds without a new arrival after which those that have not come are given up.
  int64_t patience = 30;

  bool alone() const { return ranks == 1; }
};

/// From environment variables, in this order: RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and, where
/// set, LOCAL_RANK, LOCAL_WORLD_SIZE (torchrun and most launchers); SLURM_PROCID and
/// SLURM_STEP_NUM_TASKS or SLURM_NTASKS, whose ranks meet at MASTER_ADDR or the node list's first
/// host, at MASTER_PORT or a port that follows from the job's number. Alone without any of them.
/// COPPICE_JOIN_SECONDS sets the patience, for clusters whose machines start far apart.
///
/// Throws Error{Config} naming a variable that is missing or makes no sense.
Placement placement_of(const std::map<std::string, std::string>& environment);

/// Of this process.
Placement placement_here();

/// "gpu07" of "gpu[07-09,12],cpu1"; "" of nothing.
std::string first_host(std::string_view slurm_node_list);

}  // namespace coppice::train
