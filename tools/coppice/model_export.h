#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace coppice::tools {

struct ModelExportOptions {
  std::string source;  ///< see open_model()
  std::vector<std::string> overrides;
  std::filesystem::path out = "model.onnx";
  bool int8 = false;
  std::string calibrate;  ///< data, or "random"
  bool json = false;
};

/// Writes the model as ONNX and tells what it is. Throws core::Error.
void export_model(const ModelExportOptions& options);

}  // namespace coppice::tools
