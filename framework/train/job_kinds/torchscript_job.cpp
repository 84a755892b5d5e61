#include "core/clock.h"
#include "graph/onnx.h"
#include "train/components.h"
#include "train/torchscript/torchscript.h"

namespace coppice::train {

void run_torchscript_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model"});
  const auto file = context.folder / "model.pt";
  save_torchscript(graph::load_onnx(context.input("model")), file);
  context.write_summary({{"file_bytes", static_cast<double>(std::filesystem::file_size(file))},
                         {"seconds", watch.seconds()}});
}

}  // namespace coppice::train
