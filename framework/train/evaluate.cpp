#include "train/evaluate.h"

#include <algorithm>
#include <numeric>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "train/batch_tensors.h"
#include "train/network.h"
#include "train/objective.h"

namespace coppice::train {

namespace {

std::span<const float> values_of(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

at::Tensor plain(const at::Tensor& tensor) {
  return tensor.to(at::kFloat).cpu().contiguous();
}

/// Runs a network over batches. `target`: the node that a reconstruction is compared with.
void add_batch(Network& network,
               const data::Batch& batch,
               const data::Schema& schema,
               const std::string& target,
               Predictions& to) {
  const bool reconstructs = !target.empty();
  const auto values = network.forward(
      samples_of(batch, schema),
      {.keep = reconstructs ? std::vector<std::string>{target} : std::vector<std::string>{}});
  const at::Tensor first = plain(values.at(network.graph().outputs.front()));
  if (reconstructs) {
    const at::Tensor wanted = plain(values.at(target));
    to.add(batch, values_of(first), values_of(wanted));
  } else {
    to.add(batch, values_of(first));
  }
}

}  // namespace

Predictions predict(Network& network,
                    const data::Dataset& dataset,
                    int64_t batch_size,
                    const JudgeOptions& options) {
  const at::NoGradGuard no_grad;
  Predictions predictions(options, dataset.schema());
  std::vector<int64_t> known;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (options.task != "classification" || dataset.label(i) >= 0) {
      known.push_back(i);
    }
  }
  if (known.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      options.task == "classification"
                          ? "the data set to evaluate on has no labels"
                          : "the data set to evaluate on has no samples");
  }
  const std::string target =
      options.task == "reconstruction" ? reconstruction_target(network.to_model()) : std::string();
  data::Batch batch;
  const auto total = static_cast<int64_t>(known.size());
  for (int64_t first = 0; first < total; first += batch_size) {
    const int64_t count = std::min(batch_size, total - first);
    dataset.read(std::span(known).subspan(static_cast<size_t>(first), static_cast<size_t>(count)),
                 batch);
    add_batch(network, batch, dataset.schema(), target, predictions);
  }
  return predictions;
}

Evaluation evaluate(Network& network,
                    const data::Dataset& dataset,
                    int64_t batch_size,
                    const JudgeOptions& options) {
  const Predictions predictions = predict(network, dataset, batch_size, options);
  Evaluation result;
  result.loss = predictions.loss();
  result.figures = quick_figures(predictions);
  result.metric = result.figures.at(std::string(main_metric(options.task)));
  result.accuracy = options.task == "classification" ? result.metric : 0;
  return result;
}

}  // namespace coppice::train
