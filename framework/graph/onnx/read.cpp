#include <limits>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/onnx.h"
#include "graph/onnx/metadata.h"
#include "graph/onnx/patterns.h"
#include "graph/onnx/reader.h"

namespace coppice::graph {

namespace {

constexpr int64_t kOldestOpset = 9;
constexpr int64_t kNewestOpset = 18;

int64_t opset_of(const onnx::ModelProto& proto) {
  for (const auto& opset : proto.opset_import()) {
    if (opset.domain().empty() || opset.domain() == "ai.onnx") {
      if (opset.version() < kOldestOpset || opset.version() > kNewestOpset) {
        throw core::Error(
            core::ErrorKind::Unsupported,
            fmt::format(
                "ONNX opset {}; supported: {} to {}", opset.version(), kOldestOpset, kNewestOpset));
      }
      return opset.version();
    }
  }
  throw core::Error(core::ErrorKind::Corrupt, "no ONNX model: it names no opset");
}

onnx::ModelProto parse(std::span<const std::byte> bytes) {
  onnx::ModelProto proto;
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !proto.has_graph()) {
    throw core::Error(core::ErrorKind::Corrupt, "no ONNX model, or a truncated one");
  }
  if (proto.functions_size() > 0 || proto.training_info_size() > 0) {
    throw core::Error(core::ErrorKind::Unsupported,
                      "ONNX functions and training information; export the plain graph");
  }
  return proto;
}

}  // namespace

Model from_onnx(std::span<const std::byte> bytes) {
  onnx::ModelProto proto = parse(bytes);
  try {
    fuse_patterns(*proto.mutable_graph());
    Model model = OnnxReader(proto.graph(), opset_of(proto)).read();
    model.metadata = read_onnx_metadata(proto);
    verify(model);
    return model;
  } catch (const core::Error& error) {
    if (error.kind() == core::ErrorKind::InvalidArgument) {
      throw core::Error(core::ErrorKind::Corrupt, fmt::format("ONNX graph: {}", error.what()));
    }
    throw;
  }
}

Model load_onnx(const std::filesystem::path& file) {
  const core::Bytes bytes = core::read_file(file);
  try {
    return from_onnx(bytes);
  } catch (const core::Error& error) {
    throw core::Error(error.kind(), fmt::format("{}: {}", file.string(), error.what()));
  }
}

}  // namespace coppice::graph
