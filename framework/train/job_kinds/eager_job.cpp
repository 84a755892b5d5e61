#include "graph/onnx.h"
#include "train/components.h"
#include "train/process_setup.h"
#include "train/torchscript/torchscript.h"

namespace coppice::train {

namespace {

struct EagerOptions {
  int64_t rounds = 5;
  int64_t runs = 100;

  void visit(core::Fields& f) {
    f.field("rounds", rounds, {.help = "of which the least median counts", .min = 1, .max = 1000});
    f.field("runs", runs, {.help = "of a round", .min = 1, .max = 1e6});
  }
};

}  // namespace

/// What libtorch takes for one sample of a model, op by op, on one thread: the peer that a device
/// engine is compared with.
void run_eager_job(const JobContext& context) {
  context.allow_inputs({"model"});
  const auto options = context.options<EagerOptions>();
  const graph::Model model = graph::load_onnx(context.input("model"));
  use_threads(1);
  const double latency = eager_latency_us(model, options.rounds, options.runs);
  context.write_summary({{"latency_us", latency}});
}

}  // namespace coppice::train
