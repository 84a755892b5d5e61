#include "train/trainer.h"

#include <cmath>
#include <optional>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/scalar_tensor.h>
#include <fmt/format.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/rng.h"
#include "train/batch_tensors.h"
#include "train/check_task.h"
#include "train/decoupled_decay.h"
#include "train/evaluate.h"
#include "train/gradients.h"
#include "train/loader.h"
#include "train/mix.h"
#include "train/network.h"
#include "train/objective.h"
#include "train/parameter.h"
#include "train/penalty.h"
#include "train/ranks/joint_step.h"
#include "train/ranks/rank_group.h"
#include "train/save_rhythm.h"
#include "train/schedule.h"
#include "train/sharpness.h"
#include "train/strategy.h"
#include "train/structure.h"
#include "train/suspects.h"
#include "train/teacher.h"
#include "train/weight_average.h"

namespace coppice::train {

namespace {

class Run {
 public:
  Run(Network& network, const TrainingTask& task)
      : network_(network),
        task_(task),
        options_(task.options),
        loader_(task.train,
                task.replay,
                {.batch_size = options_.batch_size,
                 .steps_per_epoch = options_.steps_per_epoch,
                 .replay_share = options_.replay_share,
                 .augmentation = options_.augmentation,
                 .seed = task.seed,
                 .share = share_of(task.ranks)}),
        own_objective_(task.objective != nullptr
                           ? nullptr
                           : make_objective(options_, task.train->schema(), network.to_model())),
        objective_(task.objective != nullptr ? task.objective : own_objective_.get()),
        optimizer_(make_optimizer(network.parameters(), options_.optimizer)),
        penalties_(make_penalties(network, options_.penalty)),
        structures_(
            make_structures(network, options_, options_.epochs * loader_.steps_per_epoch())),
        rhythm_(options_.checkpoint),
        dropout_(core::Rng(task.seed).split("dropout")),
        mixing_(core::Rng(task.seed).split("mix")) {
    if (options_.ema_decay > 0) {
      average_.emplace(network, options_.ema_decay);
    }
    if (task.ranks != nullptr) {
      joint_.emplace(network, *task.ranks);
      if (rank() > 0) {
        dropout_ = dropout_.split(static_cast<uint64_t>(rank()));
        mixing_ = mixing_.split(static_cast<uint64_t>(rank()));
      }
    }
  }

  std::vector<EpochMetrics> run(const TrainingState* resume) {
    const Experience experience{network_, *task_.train, task_.replay.get(), task_.seed};
    for (Strategy* strategy : task_.strategies) {
      strategy->experience_begins(experience);
    }
    if (resume != nullptr) {
      restore(*resume);
    }
    if (task_.ranks != nullptr) {
      check_same(*task_.ranks, beginning());
    }
    if (options_.distil.self) {
      task_.teacher->follow(average_->values());
    }
    if (task_.teacher != nullptr && options_.augmentation.empty() && !options_.mix.any() &&
        options_.distil.hints.empty()) {
      task_.teacher->precompute(options_.distil.on == "replay" ? nullptr : task_.train.get(),
                                task_.replay.get());
    }
    while (epoch() < options_.epochs && !should_stop(stopping_, options_.early_stopping)) {
      run_epoch();
    }
    if (rhythm_.unsaved()) {
      save();
    }
    keep_best_weights();
    for (Strategy* strategy : task_.strategies) {
      strategy->experience_ends(experience);
    }
    return history_;
  }

 private:
  static BatchShare share_of(const RankGroup* ranks) {
    return ranks == nullptr ? BatchShare{}
                            : BatchShare{ranks->placement().rank, ranks->placement().ranks};
  }

  int64_t rank() const { return share_of(task_.ranks).rank; }

  /// What all ranks must agree on.
  std::string beginning() const {
    return fmt::format("{} {} {} {} {} {}",
                       graph::content_hash(network_.to_model()),
                       epoch(),
                       current_.steps,
                       task_.seed,
                       loader_.samples_per_epoch(),
                       core::dump_options(options_));
  }

  /// Several ranks agree with each step.
  bool asked_to_stop() const { return joint_ ? stops_ > 0 : core::interrupted(); }

  int64_t epoch() const { return static_cast<int64_t>(history_.size()); }

  /// Of the next step, over all epochs.
  int64_t step_number() const { return epoch() * loader_.steps_per_epoch() + current_.steps; }

  void run_epoch() {
    core::Stopwatch watch;
    const double seconds_before = current_.seconds;
    bool due = false;
    loader_.start_epoch(epoch(), current_.steps);
    while (auto loaded = next_batch()) {
      if (asked_to_stop()) {
        save();
        core::throw_if_interrupted();
        throw core::Error(core::ErrorKind::Interrupted, "another rank was interrupted");
      }
      run_step(*loaded);
      current_.seconds = seconds_before + watch.seconds();
      report();
      due = rhythm_.step_done();
      if (due && current_.steps < loader_.steps_per_epoch()) {
        save();
      }
    }
    history_.push_back(finish_epoch());
    history_.back().seconds = seconds_before + watch.seconds();
    history_.back().input_wait_seconds = current_.input_wait_seconds;
    current_ = {};
    if (task_.on_epoch) {
      task_.on_epoch(history_.back());
    }
    if (rhythm_.epoch_done() || due) {
      save();
    }
  }

  std::unique_ptr<LoadedBatch> next_batch() {
    const core::Stopwatch watch;
    auto loaded = loader_.next();
    current_.input_wait_seconds += watch.seconds();
    return loaded;
  }

  EpochMetrics finish_epoch() {
    const auto samples = static_cast<double>(current_.samples);
    EpochMetrics metrics{.epoch = epoch() + 1,
                         .learning_rate = learning_rate_,
                         .loss = current_.loss / samples,
                         .accuracy = current_.correct / samples};
    if (task_.validation && rank() == 0) {
      validate(metrics);
    }
    if (task_.ranks != nullptr) {
      std::vector<double> known{metrics.validation_loss, metrics.validation_accuracy};
      take_first(*task_.ranks, known);
      metrics.validation_loss = known[0];
      metrics.validation_accuracy = known[1];
    }
    const double watched = task_.validation ? metrics.validation_loss : metrics.loss;
    if (options_.schedule.name == "plateau") {
      plateau_ = after_epoch(plateau_, watched, options_.schedule.plateau);
    }
    if (options_.early_stopping.patience > 0) {
      stopping_ = after_epoch(stopping_, watched, options_.early_stopping);
      if (stopping_.just_improved() && options_.early_stopping.restore_best) {
        best_ = average_ ? average_->copy() : copy_weights(network_);
      }
    }
    return metrics;
  }

  void validate(EpochMetrics& metrics) {
    std::optional<BorrowedWeights> averaged;
    if (average_) {
      averaged.emplace(network_, average_->values());
    }
    if (objective_->task() == "classification") {
      const Evaluation validation = evaluate(network_, *task_.validation);
      metrics.validation_loss = validation.loss;
      metrics.validation_accuracy = validation.accuracy;
    } else {
      metrics.validation_loss = mean_loss(network_, *objective_, *task_.validation);
    }
  }

  /// Forward, loss, backward, penalties, clipping, optimiser.
  void run_step(LoadedBatch& loaded) {
    const int64_t number = step_number();
    set_rates();
    for (const auto& structure : structures_) {
      structure->begin_step();
    }
    const Mixing mixing = mix_batch(loaded.batch,
                                    task_.train->schema(),
                                    options_.mix,
                                    mixing_.split(static_cast<uint64_t>(number)));
    Pass pass = forward_and_backward(loaded, mixing, number);
    if (options_.sam_rho > 0) {
      fit_gradients();
      const SharpnessAscent ascent(network_, options_.sam_rho);
      network_.clear_gradients();
      forward_and_backward(loaded, mixing, number);
    }
    for (const auto& penalty : penalties_) {
      pass.loss_value += penalty->add_gradient(number);
    }
    fit_gradients();
    const Gradients gradients = gradients_of(network_.parameters());
    if (options_.gradient_clip_value > 0) {
      clip_by_value(gradients, options_.gradient_clip_value);
    }
    if (options_.gradient_clip > 0) {
      clip_by_norm(gradients, options_.gradient_clip);
    }
    if (options_.penalty.decoupled_decay > 0) {
      decay_weights(network_.parameters(), learning_rate_ * options_.penalty.decoupled_decay);
    }
    optimizer_->step(learning_rate_);
    for (const auto& structure : structures_) {
      structure->end_step(*optimizer_, number + 1);
    }
    network_.keep_scales_positive();
    network_.clear_gradients();
    if (average_) {
      average_->update(network_, number);
      if (options_.distil.self) {
        task_.teacher->follow(average_->values());
      }
    }
    const at::Tensor labels = labels_of(loaded.batch);
    const TrainingStep step{network_, number, loaded.batch, labels, pass.output, pass.loss};
    for (Strategy* strategy : task_.strategies) {
      strategy->after_step(step);
    }
    ++current_.steps;
    current_.samples += loaded.joint_size;
    current_.loss += pass.loss_value * static_cast<double>(loaded.joint_size);
    current_.correct += pass.correct;
  }

  void fit_gradients() {
    for (const auto& structure : structures_) {
      structure->fit_gradients();
    }
  }

  struct Pass {
    at::Tensor output;
    at::Tensor loss;
    double loss_value = 0;
    double correct = 0;
  };

  Pass forward_and_backward(const LoadedBatch& loaded, const Mixing& mixing, int64_t number) {
    const at::Tensor samples = samples_of(loaded.batch, task_.train->schema());
    const Activations values =
        network_.forward(samples,
                         {.training = true,
                          .dropout_seed = dropout_.split(static_cast<uint64_t>(number)).next(),
                          .keep = objective_->reads(),
                          .freeze_norms = frozen(),
                          .range_momentum = moving_range()});
    Pass pass{.output = values.at(network_.graph().outputs.front()),
              .loss = objective_->loss(values, loaded, mixing, task_.teacher)};
    const at::Tensor labels = labels_of(loaded.batch);
    TrainingStep step{network_, number, loaded.batch, labels, pass.output, pass.loss};
    for (Strategy* strategy : task_.strategies) {
      strategy->before_step(step);
    }
    pass.loss_value = pass.loss.item<double>();
    if (!std::isfinite(pass.loss_value)) {
      fail_numeric(fmt::format("the loss is not a number at step {} (samples {}: check them)",
                               number,
                               suspect_samples(samples, pass.output, loaded.batch)));
    }
    pass.correct = objective_->correct(pass.output, loaded.batch);
    if (joint_) {
      join(pass, static_cast<double>(loaded.batch.size) / static_cast<double>(loaded.joint_size));
    } else {
      pass.loss.backward();
    }
    return pass;
  }

  /// Backward, and what the joint batch gives from the ranks' shares of it.
  void join(Pass& pass, double share) {
    (pass.loss * share).backward();
    const StepSums sums = joint_->exchange(share,
                                           {.loss = pass.loss_value * share,
                                            .correct = pass.correct,
                                            .stops = core::interrupted() ? 1.0 : 0.0});
    pass.loss = at::scalar_tensor(sums.loss, pass.loss.detach().options());
    pass.loss_value = sums.loss;
    pass.correct = sums.correct;
    stops_ += sums.stops;
  }

  /// Epochs done, with the part of the present one.
  double progress() const {
    return static_cast<double>(epoch()) +
           static_cast<double>(current_.steps) / static_cast<double>(loader_.steps_per_epoch());
  }

  bool frozen() const { return options_.qat.any() && progress() >= options_.qat.freeze_bn_after; }

  double moving_range() const {
    return options_.qat.method == "ste" && !frozen() ? options_.qat.range_momentum : 0;
  }

  void set_rates() {
    const double at = progress();
    const auto epochs = static_cast<double>(options_.epochs);
    learning_rate_ = options_.optimizer.learning_rate * plateau_.share *
                     learning_rate_share(options_.schedule, at, epochs);
    if (const auto momentum = scheduled_momentum(options_.schedule, at, epochs)) {
      optimizer_->set_momentum(*momentum);
    }
  }

  void save() {
    if (!task_.on_checkpoint) {
      rhythm_.saved();
      return;
    }
    for (const Parameter& p : network_.parameters()) {
      if (!p.value.detach().isfinite().all().item<bool>()) {
        fail_numeric(fmt::format("'{}' is not finite after step {}", p.name, step_number() - 1));
      }
    }
    task_.on_checkpoint({.weights = network_.to_model().weights,
                         .optimizer = optimizer_->state(),
                         .history = history_,
                         .current = current_,
                         .plateau = plateau_,
                         .early_stopping = stopping_,
                         .best = best_,
                         .average = average_ ? average_->values() : NamedTensors{}});
    rhythm_.saved();
    saved_ = fmt::format("epoch {}, step {}", epoch() + 1, current_.steps);
  }

  void restore(const TrainingState& state) {
    network_.load_weights(state.weights);
    optimizer_->restore(state.optimizer);
    history_ = state.history;
    current_ = state.current;
    plateau_ = state.plateau;
    stopping_ = state.early_stopping;
    best_ = state.best;
    if (average_) {
      average_->restore(state.average);
    }
    saved_ = fmt::format("epoch {}, step {}", epoch() + 1, current_.steps);
  }

  void keep_best_weights() {
    if (!best_.empty()) {
      set_weights(network_, best_);
    } else if (average_) {
      set_weights(network_, average_->values());
    }
  }

  [[noreturn]] void fail_numeric(const std::string& what) const {
    const std::string last =
        saved_.empty() ? "there is no checkpoint yet"
                       : fmt::format("the last good checkpoint is {} ({})",
                                     task_.checkpoint_name.empty() ? "that" : task_.checkpoint_name,
                                     saved_);
    throw core::Error(core::ErrorKind::Numeric,
                      fmt::format("{}: {}; lower optimizer.learning_rate ({:.3g} here) or set "
                                  "gradient_clip; {}",
                                  task_.name,
                                  what,
                                  learning_rate_,
                                  last));
  }

  void report() {
    const int64_t per_epoch = loader_.samples_per_epoch();
    const bool last = current_.samples >= per_epoch;
    if (!task_.on_progress || (since_report_.seconds() < 0.25 && !last)) {
      return;
    }
    since_report_ = core::Stopwatch();
    task_.on_progress({.phase = fmt::format("epoch {}/{}", epoch() + 1, options_.epochs),
                       .done = epoch() * per_epoch + current_.samples,
                       .total = options_.epochs * per_epoch,
                       .unit = "images",
                       .note = fmt::format("loss {:.3f}",
                                           current_.loss / static_cast<double>(current_.samples))});
  }

  Network& network_;
  const TrainingTask& task_;
  const recipe::TrainOptions& options_;
  Loader loader_;
  std::unique_ptr<Objective> own_objective_;
  const Objective* objective_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<std::unique_ptr<Penalty>> penalties_;
  std::vector<std::unique_ptr<Structure>> structures_;
  std::optional<WeightAverage> average_;
  SaveRhythm rhythm_;
  core::Rng dropout_;
  core::Rng mixing_;
  std::optional<JointStep> joint_;  ///< with other ranks
  double stops_ = 0;                ///< ranks that were asked to stop
  double learning_rate_ = 0;        ///< of the last step
  std::vector<EpochMetrics> history_;
  EpochSums current_;
  PlateauState plateau_;
  EarlyStoppingState stopping_;
  NamedTensors best_;
  std::string saved_;  ///< when the last checkpoint was made, in words
  core::Stopwatch since_report_;
};

}  // namespace

std::vector<EpochMetrics> train(Network& network,
                                const TrainingTask& task,
                                const TrainingState* resume) {
  check_task(network, task);
  return Run(network, task).run(resume);
}

}  // namespace coppice::train
