#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "coppice/model_layers.h"

namespace coppice::tools {

struct ModelCompareOptions {
  ModelFactsOptions facts;
  bool json = false;           ///< print JSON instead of tables
  std::filesystem::path html;  ///< page with pictures; empty: none
};

/// `coppice model inspect` of one model, `coppice model compare` of several: prints each layer with
/// its channels, MACs, bytes and latency, side by side where there are several, matched by name.
/// Throws core::Error.
void compare_models(const ModelCompareOptions& options);

/// The table of layers, all models' columns beside one another, with totals.
std::string layer_table(const std::vector<ModelFacts>& models);

}  // namespace coppice::tools
