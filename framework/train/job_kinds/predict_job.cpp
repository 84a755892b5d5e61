#include <algorithm>
#include <numeric>

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include "core/clock.h"
#include "core/files.h"
#include "data/store.h"
#include "graph/onnx.h"
#include "train/batch_tensors.h"
#include "train/check_model.h"
#include "train/components.h"
#include "train/integer_network.h"

namespace coppice::train {

/// The class that libtorch gives each sample, a line each, in classes.txt; a model of int8 weights
/// is computed on its integers.
void run_predict_job(const JobContext& context) {
  constexpr int64_t kBatch = 500;
  const core::Stopwatch watch;
  context.allow_inputs({"model", "data"});
  const graph::Model model = graph::load_onnx(context.input("model"));
  const auto dataset = data::open_version(context.input("data"));
  check_model_fits(model, dataset->schema(), "model");
  const IntegerNetwork network(model);
  std::string lines;
  data::Batch batch;
  for (int64_t first = 0; first < dataset->size(); first += kBatch) {
    std::vector<int64_t> indices(static_cast<size_t>(std::min(kBatch, dataset->size() - first)));
    std::iota(indices.begin(), indices.end(), first);
    dataset->read(indices, batch);
    const at::Tensor classes =
        network.logits(samples_of(batch, dataset->schema())).argmax(1).contiguous();
    for (int64_t i = 0; i < batch.size; ++i) {
      lines += fmt::format("{}\n", classes.data_ptr<int64_t>()[i]);
    }
  }
  core::write_file(context.folder / "classes.txt", lines);
  context.write_summary(
      {{"samples", static_cast<double>(dataset->size())}, {"seconds", watch.seconds()}});
}

}  // namespace coppice::train
