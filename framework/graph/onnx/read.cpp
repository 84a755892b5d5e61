#include <fmt/format.h>

#include "core/error.h"
#include "graph/onnx.h"
#include "graph/onnx/external_data.h"
#include "graph/onnx/file_limits.h"
#include "graph/onnx/metadata.h"
#include "graph/onnx/patterns.h"
#include "graph/onnx/reader.h"
#include "graph/transfer.h"

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
  check_onnx_file(bytes);
  onnx::ModelProto proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !proto.has_graph()) {
    throw core::Error(core::ErrorKind::Corrupt, "no ONNX model, or a truncated one");
  }
  if (proto.functions_size() > 0 || proto.training_info_size() > 0) {
    throw core::Error(core::ErrorKind::Unsupported,
                      "ONNX functions and training information; export the plain graph");
  }
  return proto;
}

Model read_plain(std::span<const std::byte> bytes, ExternalFolder* folder) {
  onnx::ModelProto proto = parse(bytes);
  fuse_patterns(*proto.mutable_graph());
  Model model = OnnxReader(proto.graph(), opset_of(proto), std::ssize(bytes), folder).read();
  model.metadata = read_onnx_metadata(proto);
  verify(model);
  return model;
}

/// Once: a coded file that holds another one is no model.
Model read_model(std::span<const std::byte> bytes, ExternalFolder* folder) {
  return is_transfer(bytes) ? read_plain(from_transfer(bytes), nullptr) : read_plain(bytes, folder);
}

/// What does not fit together in a file is the file's fault.
core::Error as_error_of_file(const core::Error& error) {
  const bool argument = error.kind() == core::ErrorKind::InvalidArgument;
  return {argument ? core::ErrorKind::Corrupt : error.kind(),
          one_line(argument ? fmt::format("ONNX graph: {}", error.what()) : error.what())};
}

}  // namespace

Model from_onnx(std::span<const std::byte> bytes) {
  try {
    return read_model(bytes, nullptr);
  } catch (const core::Error& error) {
    throw as_error_of_file(error);
  }
}

Model load_onnx(const std::filesystem::path& file) {
  try {
    std::error_code unknown;
    const uintmax_t size = std::filesystem::file_size(file, unknown);
    check_onnx_size(unknown ? 0 : size);
    const core::Bytes bytes = core::read_file(file);
    ExternalFolder folder(file.parent_path());
    return read_model(bytes, &folder);
  } catch (const core::Error& error) {
    const core::Error named = as_error_of_file(error);
    const bool names_file = std::string_view(named.what()).find(file.string()) !=
                            std::string_view::npos;  // as errors of reading it do
    throw names_file
        ? named
        : core::Error(named.kind(), fmt::format("{}: {}", file.string(), named.what()));
  }
}

}  // namespace coppice::graph
