#include "loop/controls.h"

#include <algorithm>

#include "core/config.h"
#include "graph/onnx.h"
#include "loop/first_training.h"
#include "loop/scratch.h"

namespace coppice::loop {

namespace fs = std::filesystem;

namespace {

/// The epochs of the longest chain with each shape.
std::map<std::string, int64_t> epochs_by_shape(const std::vector<CompressionRow>& rows) {
  std::map<std::string, int64_t> epochs;
  for (const CompressionRow& row : rows) {
    if (!row.shape.empty()) {
      epochs[row.shape] = std::max(epochs[row.shape], row.epochs);
    }
  }
  return epochs;
}

fs::path draw_anew(const CompressionRow& pruned, uint64_t seed, const fs::path& folder) {
  fs::create_directories(folder);
  const fs::path file = folder / (pruned.name + ".onnx");
  graph::save_onnx(redraw_weights(graph::load_onnx(pruned.model), seed), file);
  return file;
}

}  // namespace

std::vector<CompressionRow> run_controls(const CompressionOptions& options,
                                         const std::vector<CompressionRow>& rows,
                                         const StageInputs& inputs,
                                         const fs::path& folder,
                                         Stages& stages) {
  std::vector<CompressionRow> controls;
  const auto epochs = epochs_by_shape(rows);
  for (const CompressionRow& row : rows) {
    if (row.shape != row.name || epochs.at(row.name) == 0) {
      continue;
    }
    const auto first = first_training(options, row.name);
    if (!first) {
      continue;
    }
    CompressionRow control;
    control.name = "control-" + row.name;
    control.kind = "train";
    control.shape = row.name;
    control.epochs = epochs.at(row.name);
    StageInputs::Files files = inputs.of(*first);
    files["model"] = draw_anew(row, static_cast<uint64_t>(options.seed), folder);
    recipe::TrainJob job{.model = {}, .train = first->train.train};
    job.train.epochs = control.epochs;
    control.folder = stages.run("train", control.name, std::move(files), core::dump_options(job));
    control.model = control.folder / "model.onnx";
    controls.push_back(std::move(control));
  }
  return controls;
}

}  // namespace coppice::loop
