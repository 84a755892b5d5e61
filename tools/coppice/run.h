#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace coppice::tools {

struct RunOptions {
  std::filesystem::path file;
  std::vector<std::string> overrides;
  std::filesystem::path out;      ///< exactly this run directory; empty: a new one under runs/
  std::filesystem::path cache;    ///< finished stages; empty: beside the run
  std::filesystem::path trainer;  ///< empty: coppice-train beside this program
  std::string launch = "local";   ///< see jobs::parse_launch
  bool resume = false;
  bool fresh = false;
};

/// `coppice run`. Throws core::Error.
void run(const RunOptions& options);

}  // namespace coppice::tools
