#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace coppice::tools {

struct ModelExportOptions {
  std::string source;  ///< see open_model()
  std::vector<std::string> overrides;
  std::string format = "onnx";     ///< one of export_formats()
  std::filesystem::path out = {};  ///< file, or folder of C files; empty: the format's own
  bool int8 = false;
  std::string calibrate;               ///< data, or "random"
  std::string prefix;                  ///< of the names in C; empty: from the model's name
  std::filesystem::path trainer = {};  ///< writes TorchScript; empty: coppice-train beside this
  bool json = false;
};

/// "onnx", "transfer", "c", "torchscript".
std::vector<std::string> export_formats();

/// Writes the model in a format and tells what it is. Throws core::Error.
void export_model(const ModelExportOptions& options);

}  // namespace coppice::tools
