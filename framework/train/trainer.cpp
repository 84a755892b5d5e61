#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/rng.h"
#include "train/batch_tensors.h"
#include "train/check_model.h"
#include "train/evaluate.h"
#include "train/loader.h"
#include "train/loss.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/schedule.h"
#include "train/strategy.h"
#include "train/teacher.h"

namespace coppice::train {

namespace {

void check_labels(const data::Dataset& dataset, std::string_view role) {
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (dataset.label(i) < 0) {
      throw core::Error(
          core::ErrorKind::InvalidArgument,
          fmt::format("sample {} of the {} data has no label; leave it out", i, role));
    }
  }
}

std::vector<int64_t> ids_where_not_finite(const at::Tensor& values, const data::Batch& batch) {
  const at::Tensor finite = values.detach().flatten(1).isfinite().all(1);
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < batch.size; ++i) {
    if (!finite[i].item<bool>()) {
      ids.push_back(batch.ids[static_cast<size_t>(i)]);
    }
  }
  return ids;
}

/// Samples that hold no numbers; else those whose outputs are none (BatchNorm spreads one over the
/// whole batch); else all.
std::vector<int64_t> suspect_samples(const at::Tensor& samples,
                                     const at::Tensor& logits,
                                     const data::Batch& batch) {
  for (const at::Tensor& values : {samples, logits}) {
    const auto ids = ids_where_not_finite(values, batch);
    if (!ids.empty()) {
      return ids;
    }
  }
  return batch.ids;
}

class Run {
 public:
  Run(Network& network, const TrainingTask& task)
      : network_(network),
        task_(task),
        loader_(task.train,
                task.replay,
                {.batch_size = task.options.batch_size,
                 .steps_per_epoch = task.options.steps_per_epoch,
                 .replay_share = task.options.replay_share,
                 .augmentation = task.options.augmentation,
                 .seed = task.seed}),
        optimizer_(make_optimizer(network.parameters(), task.options.optimizer)),
        dropout_(core::Rng(task.seed).split("dropout")) {}

  std::vector<EpochMetrics> run(const TrainingState* resume) {
    const Experience experience{network_, *task_.train, task_.replay.get(), task_.seed};
    for (Strategy* strategy : task_.strategies) {
      strategy->experience_begins(experience);
    }
    if (resume != nullptr) {
      network_.load_weights(resume->weights);
      optimizer_->restore(resume->optimizer);
      history_ = resume->history;
    }
    if (task_.teacher != nullptr && task_.options.augmentation.empty()) {
      task_.teacher->precompute(distils_replay_only() ? nullptr : task_.train.get(),
                                task_.replay.get());
    }
    for (auto epoch = static_cast<int64_t>(history_.size()); epoch < task_.options.epochs;
         ++epoch) {
      history_.push_back(run_epoch(epoch));
      if (task_.on_epoch) {
        task_.on_epoch({network_.to_model().weights, optimizer_->state(), history_});
      }
    }
    for (Strategy* strategy : task_.strategies) {
      strategy->experience_ends(experience);
    }
    return history_;
  }

 private:
  EpochMetrics run_epoch(int64_t epoch) {
    const core::Stopwatch watch;
    EpochMetrics metrics{.epoch = epoch + 1};
    int64_t samples = 0;
    loader_.start_epoch(epoch);
    for (int64_t step = 0; auto loaded = loader_.next(); ++step) {
      core::throw_if_interrupted();
      metrics.learning_rate = learning_rate(epoch, step);
      const StepResult result =
          run_step(*loaded, epoch * loader_.steps_per_epoch() + step, metrics.learning_rate);
      const int64_t size = loaded->batch.size;
      samples += size;
      metrics.loss += result.loss * static_cast<double>(size);
      metrics.accuracy += static_cast<double>(result.correct);
      report(epoch, samples, metrics.loss / static_cast<double>(samples));
    }
    metrics.loss /= static_cast<double>(samples);
    metrics.accuracy /= static_cast<double>(samples);
    if (task_.validation) {
      const Evaluation validation = evaluate(network_, *task_.validation);
      metrics.validation_loss = validation.loss;
      metrics.validation_accuracy = validation.accuracy;
    }
    metrics.seconds = watch.seconds();
    return metrics;
  }

  double learning_rate(int64_t epoch, int64_t step) const {
    const double at = static_cast<double>(epoch) +
                      static_cast<double>(step) / static_cast<double>(loader_.steps_per_epoch());
    return task_.options.optimizer.learning_rate *
           learning_rate_share(
               task_.options.schedule, at, static_cast<double>(task_.options.epochs));
  }

  struct StepResult {
    double loss = 0;
    int64_t correct = 0;
  };

  StepResult run_step(const LoadedBatch& loaded, int64_t number, double learning_rate) {
    const at::Tensor labels = labels_of(loaded.batch);
    const at::Tensor logits = network_.logits(
        samples_of(loaded.batch, task_.train->schema()),
        {.training = true, .dropout_seed = dropout_.split(static_cast<uint64_t>(number)).next()});
    at::Tensor loss = loss_of(logits, labels, loaded);
    TrainingStep step{network_, number, loaded.batch, labels, logits, loss};
    for (Strategy* strategy : task_.strategies) {
      strategy->before_step(step);
    }
    StepResult result{.loss = loss.item<double>()};
    if (!std::isfinite(result.loss)) {
      fail_numeric(loaded.batch, number, learning_rate, logits);
    }
    loss.backward();
    if (task_.options.gradient_clip > 0) {
      clip_gradients(network_.parameters(), task_.options.gradient_clip);
    }
    optimizer_->step(learning_rate);
    network_.clear_gradients();
    for (Strategy* strategy : task_.strategies) {
      strategy->after_step(step);
    }
    const at::NoGradGuard no_grad;
    result.correct = logits.argmax(1).eq(labels).sum().item<int64_t>();
    return result;
  }

  bool distils_replay_only() const { return task_.options.distil.on == "replay"; }

  at::Tensor loss_of(const at::Tensor& logits,
                     const at::Tensor& labels,
                     const LoadedBatch& loaded) {
    const double smoothing = task_.options.label_smoothing;
    if (task_.teacher == nullptr) {
      return cross_entropy(logits, labels, smoothing);
    }
    const at::Tensor targets = task_.teacher->targets(loaded, distils_replay_only());
    if (!distils_replay_only()) {
      return distillation_loss(logits, targets, labels, smoothing, task_.options.distil);
    }
    const auto fresh = static_cast<int64_t>(loaded.train_positions.size());
    const int64_t replayed = loaded.batch.size - fresh;
    const at::Tensor of_fresh =
        cross_entropy(logits.narrow(0, 0, fresh), labels.narrow(0, 0, fresh), smoothing);
    const at::Tensor of_replayed = distillation_loss(logits.narrow(0, fresh, replayed),
                                                     targets,
                                                     labels.narrow(0, fresh, replayed),
                                                     smoothing,
                                                     task_.options.distil);
    return (of_fresh * fresh + of_replayed * replayed) / loaded.batch.size;
  }

  [[noreturn]] void fail_numeric(const data::Batch& batch,
                                 int64_t number,
                                 double learning_rate,
                                 const at::Tensor& logits) const {
    const std::vector<int64_t> ids =
        suspect_samples(samples_of(batch, task_.train->schema()), logits, batch);
    const size_t shown = std::min<size_t>(ids.size(), 8);
    throw core::Error(
        core::ErrorKind::Numeric,
        fmt::format(
            "{}: the loss is not a number at step {} (samples {}{}); lower "
            "optimizer.learning_rate ({:.3g} here), set gradient_clip, or check these samples",
            task_.name,
            number,
            fmt::join(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
            ids.size() > shown ? fmt::format(" and {} more", ids.size() - shown) : "",
            learning_rate));
  }

  void report(int64_t epoch, int64_t samples, double loss) {
    const bool last = samples >= loader_.samples_per_epoch();
    if (!task_.on_progress || (since_report_.seconds() < 0.25 && !last)) {
      return;
    }
    since_report_ = core::Stopwatch();
    task_.on_progress({.phase = fmt::format("epoch {}/{}", epoch + 1, task_.options.epochs),
                       .done = epoch * loader_.samples_per_epoch() + samples,
                       .total = task_.options.epochs * loader_.samples_per_epoch(),
                       .unit = "images",
                       .note = fmt::format("loss {:.3f}", loss)});
  }

  Network& network_;
  const TrainingTask& task_;
  Loader loader_;
  std::unique_ptr<Optimizer> optimizer_;
  core::Rng dropout_;
  std::vector<EpochMetrics> history_;
  core::Stopwatch since_report_;
};

}  // namespace

std::vector<EpochMetrics> train(Network& network,
                                const TrainingTask& task,
                                const TrainingState* resume) {
  if (network.parameters().empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      task.name + ": the model has no trainable weights; train before quantising");
  }
  check_labels(*task.train, "training");
  if (task.replay) {
    check_labels(*task.replay, "replay");
  }
  const bool replays = task.replay != nullptr && task.options.replay_share > 0;
  if (task.teacher != nullptr && task.options.distil.on == "replay" && !replays) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      task.name +
                          ": distil.on is 'replay', but there is no replay data; set it to "
                          "'all' or give the job an input 'replay'");
  }
  return Run(network, task).run(resume);
}

}  // namespace coppice::train
