#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include <onnx/onnx_pb.h>

#include "graph/tensor.h"

namespace coppice::graph {

/// Files of weights beside a model's file, as exporters write them for large models.
///
/// Only files in the model's own folder, or below it, are opened: a location that is absolute, has
/// "..", or leads over a symbolic link is refused, without a look at what it names.
class ExternalFolder {
 public:
  explicit ExternalFolder(std::filesystem::path folder);
  ~ExternalFolder();
  ExternalFolder(const ExternalFolder&) = delete;
  ExternalFolder& operator=(const ExternalFolder&) = delete;

  /// The values of a tensor whose data_location is EXTERNAL. Throws Error{Refused} for a location
  /// outside the folder, Error{NotFound, Io} for a file that can't be read, and Error{Corrupt},
  /// before allocation, where range, shape and file do not agree, or where the tensors together
  /// read more of a file than it has.
  Tensor read(const onnx::TensorProto& proto, DType dtype, Shape shape, std::string_view name);

 private:
  struct File {
    int descriptor = -1;
    int64_t size = 0;
    int64_t unread = 0;
  };

  File& open(const std::string& location, std::string_view name);

  std::filesystem::path folder_;
  std::map<std::string, File> files_;
};

}  // namespace coppice::graph
