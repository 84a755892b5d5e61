#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "train/batch_tensors.h"
#include "train/distillation/distillation.h"
#include "train/loader.h"
#include "train/loss.h"
#include "train/mix.h"
#include "train/objective.h"

namespace coppice::train {

namespace {

/// The rows of what a student says of `count` samples.
Activations narrowed(const Activations& values,
                     const std::vector<std::string>& nodes,
                     int64_t first,
                     int64_t count) {
  Activations rows;
  for (const std::string& node : nodes) {
    rows[node] = values.at(node).narrow(0, first, count);
  }
  return rows;
}

class Classification final : public Objective {
 public:
  Classification(const recipe::TrainOptions& options, std::string output)
      : output_(std::move(output)),
        smoothing_(options.label_smoothing),
        distillation_(options.distil),
        on_replay_only_(options.distil.on == "replay") {}

  std::string_view task() const override { return "classification"; }

  std::vector<std::string> reads() const override { return distillation_.reads(); }

  at::Tensor loss(const Activations& values,
                  const LoadedBatch& loaded,
                  const Mixing& mixing,
                  Teacher* teacher) const override {
    const at::Tensor& logits = values.at(output_);
    const at::Tensor labels = labels_of(loaded.batch).to(logits.device());
    const auto fresh = static_cast<int64_t>(loaded.train_positions.size());
    const int64_t replayed = loaded.batch.size - fresh;
    // A rank's share of a batch may lack one or the other.
    if (teacher == nullptr || (on_replay_only_ && replayed == 0)) {
      return mixed_cross_entropy(logits, labels, mixing, smoothing_);
    }
    if (!on_replay_only_) {
      return distillation_.loss(mixed_cross_entropy(logits, labels, mixing, smoothing_),
                                {logits, values, labels, mixing},
                                teacher->answers(loaded, false),
                                *teacher);
    }
    const at::Tensor of_replayed = replay_loss(values, labels, fresh, loaded, *teacher);
    if (fresh == 0) {
      return of_replayed;
    }
    const at::Tensor of_fresh =
        cross_entropy(logits.narrow(0, 0, fresh), labels.narrow(0, 0, fresh), smoothing_);
    return (of_fresh * fresh + of_replayed * replayed) / loaded.batch.size;
  }

  double correct(const at::Tensor& output, const data::Batch& batch) const override {
    const at::NoGradGuard no_grad;
    return static_cast<double>(
        output.argmax(1).eq(labels_of(batch).to(output.device())).sum().item<int64_t>());
  }

 private:
  at::Tensor replay_loss(const Activations& values,
                         const at::Tensor& labels,
                         int64_t fresh,
                         const LoadedBatch& loaded,
                         Teacher& teacher) const {
    const int64_t count = loaded.batch.size - fresh;
    const at::Tensor logits = values.at(output_).narrow(0, fresh, count);
    const at::Tensor known = labels.narrow(0, fresh, count);
    return distillation_.loss(cross_entropy(logits, known, smoothing_),
                              {logits, narrowed(values, reads(), fresh, count), known, {}},
                              teacher.answers(loaded, true),
                              teacher);
  }

  std::string output_;
  double smoothing_;
  Distillation distillation_;
  bool on_replay_only_;
};

}  // namespace

std::unique_ptr<Objective> make_classification(const recipe::TrainOptions& options,
                                               const graph::Model& model) {
  return std::make_unique<Classification>(options, model.graph.outputs.front());
}

}  // namespace coppice::train
