#pragma once

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/ATen_fwd.h>

#include "data/dataset.h"
#include "graph/graph.h"
#include "recipe/recipe.h"
#include "train/network.h"

namespace coppice::train {

class Teacher;
struct LoadedBatch;
struct Mixing;

/// What a network is trained towards: the loss of its outputs, by task.
class Objective {
 public:
  virtual ~Objective() = default;

  virtual std::string_view task() const = 0;

  /// Nodes that loss() reads besides the graph's first output.
  virtual std::vector<std::string> reads() const { return {}; }

  /// Mean over the batch's samples, with gradient. `values`: the first output and what reads()
  /// names; `teacher` or null.
  virtual at::Tensor loss(const Activations& values,
                          const LoadedBatch& loaded,
                          const Mixing& mixing,
                          Teacher* teacher) const = 0;

  /// Samples whose prediction is right; NaN where the task has no right and wrong.
  virtual double correct(const at::Tensor& /*output*/, const data::Batch& /*batch*/) const {
    return std::numeric_limits<double>::quiet_NaN();
  }
};

/// Cross entropy, softened by label smoothing, and what options.distil makes of a teacher.
/// `output`: logits [n, classes].
std::unique_ptr<Objective> make_classification(const recipe::TrainOptions& options,
                                               const graph::Model& model);
/// mse, mae or huber between the output [n, k] and the batch's targets, mean over all n k.
std::unique_ptr<Objective> make_regression(const recipe::TrainOptions& options,
                                           const graph::Model& model);
/// The same between the output and the network's own input, as its preprocessing leaves it.
std::unique_ptr<Objective> make_reconstruction(const recipe::TrainOptions& options,
                                               const graph::Model& model);

/// By options.task, "auto" standing for the schema's. Throws Error{NotFound}.
std::unique_ptr<Objective> make_objective(const recipe::TrainOptions& options,
                                          const data::Schema& schema,
                                          const graph::Model& model);

/// Mean loss over a data set, in evaluation mode. Throws Error{InvalidArgument} for an empty one.
double mean_loss(Network& network,
                 const Objective& objective,
                 const data::Dataset& dataset,
                 int64_t batch_size = 500);

/// The node that a reconstruction is compared with: the output "target" where the graph has one;
/// else the last node that only prepares the input (Cast, Sub, Div, Mul and Add of constants), or
/// the input itself.
std::string reconstruction_target(const graph::Model& model);

/// Mean squared difference between each sample's reconstruction and its preprocessed input.
std::vector<double> reconstruction_errors(Network& network,
                                          const data::Dataset& dataset,
                                          int64_t batch_size = 500);

}  // namespace coppice::train
