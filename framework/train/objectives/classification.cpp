#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "train/batch_tensors.h"
#include "train/loader.h"
#include "train/loss.h"
#include "train/mix.h"
#include "train/objective.h"
#include "train/teacher.h"

namespace coppice::train {

namespace {

class Classification final : public Objective {
 public:
  Classification(const recipe::TrainOptions& options, std::string output)
      : output_(std::move(output)),
        smoothing_(options.label_smoothing),
        distil_(options.distil),
        on_replay_only_(options.distil.on == "replay") {}

  std::string_view task() const override { return "classification"; }

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
      return of_labels(logits, labels, mixing);
    }
    const at::Tensor targets = teacher->targets(loaded, on_replay_only_);
    if (!on_replay_only_) {
      return (1 - distil_.alpha) * of_labels(logits, labels, mixing) +
             distil_.alpha * soft_target_loss(logits, targets, distil_.temperature);
    }
    const at::Tensor of_replayed = distillation_loss(logits.narrow(0, fresh, replayed),
                                                     targets,
                                                     labels.narrow(0, fresh, replayed),
                                                     smoothing_,
                                                     distil_);
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
  at::Tensor of_labels(const at::Tensor& logits,
                       const at::Tensor& labels,
                       const Mixing& mixing) const {
    const at::Tensor own = cross_entropy(logits, labels, smoothing_);
    if (!mixing.mixes()) {
      return own;
    }
    const at::Tensor others =
        labels.index_select(0, positions_of(mixing.partner).to(logits.device()));
    return mixing.share * own + (1 - mixing.share) * cross_entropy(logits, others, smoothing_);
  }

  std::string output_;
  double smoothing_;
  recipe::DistilOptions distil_;
  bool on_replay_only_;
};

}  // namespace

std::unique_ptr<Objective> make_classification(const recipe::TrainOptions& options,
                                               const graph::Model& model) {
  return std::make_unique<Classification>(options, model.graph.outputs.front());
}

}  // namespace coppice::train
