#include "coppice/model_export_write.h"

#include "c_source/c_source.h"
#include "graph/onnx.h"

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

Json write_c(const graph::Model& model, const ModelExportOptions& options) {
  const fs::path folder = or_default(options.out, ".");
  const c_source::CSource source = c_source::generate(model, {.prefix = options.prefix});
  c_source::write_files(source, folder);
  return {{"file", (folder / (source.prefix + ".c")).string()},
          {"header", (folder / (source.prefix + ".h")).string()},
          {"flash_bytes", source.constant_bytes},
          {"ram_bytes", source.arena_bytes}};
}

core::Registry<FileWriter> make_writers() {
  core::Registry<FileWriter> writers("export format");
  writers.add("onnx", write_onnx, "what every runtime reads; int8 as QDQ");
  writers.add("c", write_c, "a C99 source and header without dependencies, for microcontrollers");
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
