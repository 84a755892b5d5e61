#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/engine.h"

namespace coppice::tools {

struct ModelRunOptions {
  std::string source;  ///< see open_model()
  std::string data;    ///< see read_samples()
  std::vector<std::string> overrides;
  runtime::EngineOptions engine{.max_batch = 16};
  int64_t limit = 0;  ///< samples from the front; 0: all
  int64_t top = 1;    ///< classes told of each sample
  bool json = false;
};

/// Prints what the model makes of each sample: classes with their probabilities, values, or the
/// error of a reconstruction. Throws core::Error.
void run_model(const ModelRunOptions& options);

}  // namespace coppice::tools
