#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include "train/batch_tensors.h"
#include "train/loader.h"
#include "train/mix.h"
#include "train/objective.h"
#include "train/objectives/difference.h"

namespace coppice::train {

namespace {

class Regression final : public Objective {
 public:
  Regression(const recipe::TrainOptions& options, std::string output)
      : output_(std::move(output)), options_(options.task) {}

  std::string_view task() const override { return "regression"; }

  at::Tensor loss(const Activations& values,
                  const LoadedBatch& loaded,
                  const Mixing& mixing,
                  Teacher* /*teacher*/) const override {
    const at::Tensor& output = values.at(output_);
    const at::Tensor targets = targets_of(loaded.batch).to(output.device());
    const at::Tensor own = difference_loss(output, targets, options_);
    if (!mixing.mixes()) {
      return own;
    }
    const at::Tensor others =
        targets.index_select(0, positions_of(mixing.partner).to(output.device()));
    return mixing.share * own + (1 - mixing.share) * difference_loss(output, others, options_);
  }

 private:
  std::string output_;
  recipe::TaskOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_regression(const recipe::TrainOptions& options,
                                           const graph::Model& model) {
  return std::make_unique<Regression>(options, model.graph.outputs.front());
}

}  // namespace coppice::train
