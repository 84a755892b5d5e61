#include "train/objective.h"

#include <algorithm>
#include <numeric>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "core/registry.h"
#include "recipe/check.h"
#include "train/batch_tensors.h"
#include "train/loader.h"
#include "train/mix.h"

namespace coppice::train {

namespace {

using ObjectiveFactory = std::unique_ptr<Objective> (*)(const recipe::TrainOptions&,
                                                        const graph::Model&);

const core::Registry<ObjectiveFactory>& objectives() {
  static const core::Registry<ObjectiveFactory> registry = [] {
    core::Registry<ObjectiveFactory> r("task");
    r.add("classification", make_classification, "one class of several");
    r.add("regression", make_regression, "numbers");
    r.add("reconstruction", make_reconstruction, "the input itself");
    return r;
  }();
  return registry;
}

}  // namespace

std::unique_ptr<Objective> make_objective(const recipe::TrainOptions& options,
                                          const data::Schema& schema,
                                          const graph::Model& model) {
  return objectives().get(recipe::task_of(options.task, schema))(options, model);
}

double mean_loss(Network& network,
                 const Objective& objective,
                 const data::Dataset& dataset,
                 int64_t batch_size) {
  if (dataset.size() == 0) {
    throw core::Error(core::ErrorKind::InvalidArgument, "the data set to evaluate on is empty");
  }
  const at::NoGradGuard no_grad;
  double sum = 0;
  for (int64_t first = 0; first < dataset.size(); first += batch_size) {
    LoadedBatch loaded;
    loaded.train_positions.resize(
        static_cast<size_t>(std::min(batch_size, dataset.size() - first)));
    std::iota(loaded.train_positions.begin(), loaded.train_positions.end(), first);
    dataset.read(loaded.train_positions, loaded.batch);
    const Activations values =
        network.forward(samples_of(loaded.batch, dataset.schema()), {.keep = objective.reads()});
    sum += objective.loss(values, loaded, {}, nullptr).item<double>() *
           static_cast<double>(loaded.batch.size);
  }
  return sum / static_cast<double>(dataset.size());
}

}  // namespace coppice::train
