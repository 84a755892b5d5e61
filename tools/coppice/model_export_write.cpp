#include "coppice/model_export_write.h"

#include "c_source/c_source.h"
#include "coppice/trainer.h"
#include "core/files.h"
#include "graph/onnx.h"
#include "graph/transfer.h"
#include "jobs/executor.h"

namespace coppice::tools {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

fs::path or_default(const fs::path& out, const char* name) {
  return out.empty() ? fs::path(name) : out;
}

Json write_onnx(const graph::Model& model, const ModelExportOptions& options) {
  const fs::path file = or_default(options.out, "model.onnx");
  graph::save_onnx(model, file);
  return {{"file", file.string()}, {"file_bytes", fs::file_size(file)}};
}

Json write_transfer(const graph::Model& model, const ModelExportOptions& options) {
  const fs::path file = or_default(options.out, "model.transfer");
  const core::Bytes onnx = graph::to_onnx(model);
  const core::Bytes coded = graph::to_transfer(onnx);
  core::write_file(file, coded);
  return {{"file", file.string()}, {"transfer_bytes", coded.size()}, {"onnx_bytes", onnx.size()}};
}

Json write_c(const graph::Model& model, const ModelExportOptions& options) {
  const fs::path folder = or_default(options.out, ".");
  const c_source::CSource source = c_source::generate(model, {.prefix = options.prefix});
  c_source::write_files(source, folder);
  return {{"file", (folder / (source.prefix + ".c")).string()},
          {"header", (folder / (source.prefix + ".h")).string()},
          {"flash_bytes", source.constant_bytes},
          {"ram_bytes", source.arena_bytes}};
}

/// Only coppice-train has libtorch.
Json write_torchscript(const graph::Model& model, const ModelExportOptions& options) {
  const fs::path file = or_default(options.out, "model.pt");
  const auto executor = jobs::make_local_executor(trainer_path(options.trainer));
  const core::TemporaryFolder folder;
  const fs::path onnx = folder.path() / "model.onnx";
  graph::save_onnx(model, onnx);
  jobs::JobSpec spec;
  spec.kind = "torchscript";
  spec.name = "export";
  spec.inputs["model"] = onnx;
  const fs::path results = folder.path() / "job";
  executor->run(spec, results, [](const jobs::JobProgress&) {});
  core::write_file(file, core::read_file(results / "model.pt"));
  return {{"file", file.string()}, {"file_bytes", fs::file_size(file)}};
}

core::Registry<FileWriter> make_writers() {
  core::Registry<FileWriter> writers("export format");
  writers.add("onnx", write_onnx, "what every runtime reads; int8 as QDQ");
  writers.add("transfer", write_transfer, "ONNX, entropy-coded for the way to a device");
  writers.add("c", write_c, "a C99 source and header without dependencies, for microcontrollers");
  writers.add("torchscript", write_torchscript, "for Python's torch.jit.load");
  return writers;
}

}  // namespace

const core::Registry<FileWriter>& file_writers() {
  static const core::Registry<FileWriter> kWriters = make_writers();
  return kWriters;
}

std::vector<std::string> export_formats() {
  return file_writers().names();
}

}  // namespace coppice::tools
