#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace coppice::tools {

struct ModelSensitivityOptions {
  std::string source;  ///< see open_model()
  std::vector<std::string> overrides;
  std::string data;   ///< labelled samples that the score is of: data-set version (.h5)
  std::string train;  ///< data-set version for criteria that need data; empty: none
  std::string criterion = "l2";
  std::vector<double> shares;  ///< of a group that are cut; empty: the job's own
  int64_t samples = 2000;
  double tolerance = 0.01;  ///< loss of the score that a share may cost
  std::filesystem::path trainer;
  bool json = false;           ///< print JSON instead of a table
  std::filesystem::path html;  ///< page with a picture; empty: none
};

/// Cuts each group of channels by each share, all else whole, and prints what accuracy is left (Li
/// et al., ICLR 2017), by a job of kind "sensitivity". Throws core::Error.
void scan_sensitivity(const ModelSensitivityOptions& options);

}  // namespace coppice::tools
