#include "train/trainer.h"

#include <cmath>
#include <functional>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/split.h"
#include "graph/models.h"
#include "samples.h"
#include "states.h"
#include "train/evaluate.h"
#include "train/loader.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/strategy.h"
#include "train/teacher.h"
#include "train/tensor_bridge.h"
#include "train/weight_average.h"

namespace coppice::train {

namespace {

using graph::testing::message_of;
using testing::quarter_network;
using testing::quarters;

TrainingTask task_of(int64_t epochs) {
  TrainingTask task;
  task.train = quarters(256, 1);
  task.validation = quarters(64, 2);
  task.options.epochs = epochs;
  task.options.batch_size = 32;
  task.options.augmentation = {{.name = "noise", .probability = 0.5, .low = 0, .high = 0.1}};
  task.seed = 7;
  return task;
}

std::string trained_hash(const TrainingTask& task, const TrainingState* resume = nullptr) {
  Network network(quarter_network(1, 0.2));
  train(network, task, resume);
  return graph::content_hash(network.to_model());
}

class EveryOptimizer : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryOptimizer, LearnsWhatIsEasy) {
  TrainingTask task = task_of(6);
  task.options.optimizer.name = GetParam();
  task.options.optimizer.learning_rate = GetParam() == "sgd" ? 0.05 : 0.01;
  Network network(quarter_network(1));
  EXPECT_LT(evaluate(network, *task.validation).accuracy, 0.7);
  const auto history = train(network, task);
  ASSERT_EQ(history.size(), 6);
  EXPECT_GT(history.back().accuracy, 0.95);
  EXPECT_GT(history.back().validation_accuracy, 0.95);
  EXPECT_LT(history.back().loss, history.front().loss);
  EXPECT_DOUBLE_EQ(evaluate(network, *task.validation).accuracy,
                   history.back().validation_accuracy);
}

INSTANTIATE_TEST_SUITE_P(Optimizers, EveryOptimizer, ::testing::ValuesIn(optimizers().names()));

TEST(Trainer, TheSameSeedGivesTheSameWeights) {
  TrainingTask task = task_of(2);
  task.replay = quarters(64, 3);
  const std::string first = trained_hash(task);
  EXPECT_EQ(trained_hash(task), first);
  task.seed = 8;
  EXPECT_NE(trained_hash(task), first);
}

TEST(Trainer, SeveralThreadsGiveTheSameWeightsAgain) {
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  graph::ModelOptions options;
  options.widths = {8, 16};
  graph::ModelInput input;
  input.sample_shape = {1, 8, 8};
  input.class_names = quarters(4, 1)->schema().class_names;
  const auto run = [&] {
    TrainingTask task = task_of(1);
    Network network(graph::build_model(options, input, 1));
    train(network, task);
    return graph::content_hash(network.to_model());
  };
  EXPECT_EQ(run(), run());
  at::set_num_threads(threads);
}

/// Everything that a checkpoint must carry, one way or another.
std::map<std::string, TrainingTask> resumable_tasks() {
  std::map<std::string, TrainingTask> tasks;
  for (const std::string& optimizer : optimizers().names()) {
    TrainingTask& task = tasks[optimizer] = task_of(3);
    task.options.optimizer.name = optimizer;
    task.options.optimizer.learning_rate = 0.01;
  }
  TrainingTask& averaged = tasks["averaged"] = task_of(3);
  averaged.options.ema_decay = 0.9;
  averaged.options.sam_rho = 0.05;
  averaged.options.mix.mixup_alpha = 0.4;
  averaged.options.mix.cutmix_alpha = 1;
  averaged.options.mix.cutout_side = 0.3;
  averaged.options.penalty.l1 = 1e-4;
  averaged.options.schedule = {.name = "one_cycle", .cycle_momentum = true};
  TrainingTask& plateau = tasks["plateau"] = task_of(4);
  plateau.options.schedule.name = "plateau";
  plateau.options.schedule.plateau = {.patience = 0, .factor = 0.5, .threshold = 0.9};
  plateau.options.early_stopping = {.patience = 2, .min_delta = 0.05};
  TrainingTask& replay = tasks["replay"] = task_of(3);
  replay.replay = quarters(48, 3);
  replay.options.steps_per_epoch = 5;
  return tasks;
}

TEST(Trainer, ARunResumedAtAnyStepEndsAsAnUninterruptedOne) {
  for (auto& [label, task] : resumable_tasks()) {
    task.options.checkpoint.every_steps = 1;
    std::vector<TrainingState> states;
    task.on_checkpoint = [&](const TrainingState& state) {
      states.push_back(testing::copy_of(state));
    };
    const std::string whole = trained_hash(task);
    ASSERT_GT(states.size(), 10) << label;
    const auto saved = states;
    for (size_t i = 0; i < saved.size(); i += 5) {
      EXPECT_EQ(trained_hash(task, &saved[i]), whole)
          << label << ", " << saved[i].history.size() << " epochs and " << saved[i].current.steps
          << " steps";
    }
    EXPECT_EQ(trained_hash(task, &saved.back()), whole) << label;
  }
}

TEST(Trainer, SavesAsOftenAsAsked) {
  const auto saves = [](const recipe::CheckpointOptions& options) {
    TrainingTask task = task_of(4);  // 8 steps each
    task.options.checkpoint = options;
    std::vector<std::pair<size_t, int64_t>> at;
    task.on_checkpoint = [&](const TrainingState& state) {
      at.emplace_back(state.history.size(), state.current.steps);
    };
    trained_hash(task);
    return at;
  };
  using Saves = std::vector<std::pair<size_t, int64_t>>;
  EXPECT_EQ(saves({}), (Saves{{1, 0}, {2, 0}, {3, 0}, {4, 0}}));
  EXPECT_EQ(saves({.every_epochs = 3}), (Saves{{3, 0}, {4, 0}}));
  EXPECT_EQ(saves({.every_epochs = 0, .every_minutes = 0}), (Saves{{4, 0}}));
  EXPECT_EQ(saves({.every_epochs = 0, .every_steps = 12}), (Saves{{1, 4}, {3, 0}, {4, 0}}));
  EXPECT_GE(saves({.every_epochs = 0, .every_minutes = 1e-9}).size(), 32);
}

TEST(Trainer, TheTeachersTermReachesTheStudent) {
  const auto with_alpha = [&](double alpha, bool augment) {
    TrainingTask task = task_of(1);
    if (!augment) {
      task.options.augmentation.clear();
    }
    task.options.distil.alpha = alpha;
    Teacher teacher(quarter_network(5), task.train->schema());
    task.teacher = &teacher;
    return trained_hash(task);
  };
  for (const bool augment : {false, true}) {
    EXPECT_NE(with_alpha(0, augment), with_alpha(0.5, augment)) << augment;
  }
}

TEST(Trainer, AStudentTakesOverWhatOnlyItsTeacherKnows) {
  // All labels say class 0; alpha 1 leaves them without weight.
  TrainingTask task = task_of(10);
  task.options.augmentation.clear();
  Network master(quarter_network(1));
  train(master, task);
  data::Batch all = data::read_all(*task.train);
  task.train = data::make_memory_dataset(
      task.train->schema(), all.samples, std::vector<int64_t>(all.labels.size(), 0));
  task.options.distil.alpha = 1;
  Teacher teacher(master.to_model(), task.train->schema());
  task.teacher = &teacher;
  Network student(quarter_network(9));
  train(student, task);
  EXPECT_GT(evaluate(student, *task.validation).accuracy, 0.95);
}

TEST(Trainer, DistillingOnReplayLeavesNewSamplesToTheirLabels) {
  // The teacher is wrong about everything; it may spoil replayed samples only.
  const auto accuracy_on_new = [&](const std::string& on) {
    TrainingTask task = task_of(10);
    task.options.augmentation.clear();
    data::Batch all = data::read_all(*task.train);
    for (int64_t& label : all.labels) {
      label = 3 - label;
    }
    TrainingTask wrong = task;
    wrong.train = data::make_memory_dataset(task.train->schema(), all.samples, all.labels);
    Network liar(quarter_network(1));
    train(liar, wrong);
    Teacher teacher(liar.to_model(), task.train->schema());
    task.teacher = &teacher;
    const auto old = data::with_classes(*task.train, {0, 1});
    const auto fresh = data::with_classes(*task.train, {2, 3});
    task.replay = data::make_subset(task.train, old);
    task.train = data::make_subset(task.train, fresh);
    task.options.distil.alpha = 1;
    task.options.distil.on = on;
    Network student(quarter_network(9));
    train(student, task);
    return evaluate(student, *task.train).accuracy;
  };
  EXPECT_GT(accuracy_on_new("replay"), 0.9);
  EXPECT_LT(accuracy_on_new("all"), 0.1);
}

TEST(Trainer, RefusesToDistilOnReplayWithoutAny) {
  TrainingTask task = task_of(1);
  Teacher teacher(quarter_network(5), task.train->schema());
  task.teacher = &teacher;
  task.options.distil.on = "replay";
  Network network(quarter_network(1));
  message_of(core::ErrorKind::InvalidArgument, [&] { train(network, task); });
}

TEST(Trainer, PrecomputedTargetsAreThoseOfTheTeacherInTheLoop) {
  const auto dataset = quarters(20, 1);
  const auto replay = quarters(8, 2);
  LoadedBatch batch{.batch = {}, .train_positions = {3, 17, 4}, .replay_positions = {7, 0}};
  data::Batch more;
  dataset->read(batch.train_positions, batch.batch);
  replay->read(batch.replay_positions, more);
  batch.batch.samples.insert(batch.batch.samples.end(), more.samples.begin(), more.samples.end());
  batch.batch.size += more.size;
  Teacher in_loop(quarter_network(5), dataset->schema());
  Teacher ahead(quarter_network(5), dataset->schema());
  ahead.precompute(dataset.get(), replay.get());
  for (const bool replayed_only : {false, true}) {
    const at::Tensor a = in_loop.answers(batch, replayed_only).at(0).logits;
    EXPECT_EQ(a.size(0), replayed_only ? 2 : 5);
    EXPECT_TRUE(a.allclose(ahead.answers(batch, replayed_only).at(0).logits, 1e-5, 1e-5));
    EXPECT_FALSE(a.requires_grad());
  }
}

TEST(Trainer, ALossThatIsNoNumberNamesStepAndSamples) {
  data::Schema schema;
  schema.type = data::ElementType::F32;
  schema.sample_shape = {4};
  schema.class_names = {"a", "b"};
  std::vector<float> values(8 * 4, 0.5F);
  values[5 * 4 + 2] = std::numeric_limits<float>::infinity();
  const auto bytes = std::as_bytes(std::span(values));
  TrainingTask task;
  task.name = "student";
  task.train =
      data::make_memory_dataset(schema, {bytes.begin(), bytes.end()}, {0, 1, 0, 1, 0, 1, 0, 1});
  graph::ModelOptions options;
  options.name = "mlp";
  options.widths = {4};
  graph::ModelInput input;
  input.dtype = graph::DType::F32;
  input.sample_shape = {4};
  input.mean = {0, 0, 0, 0};
  input.std = {1, 1, 1, 1};
  input.class_names = schema.class_names;
  graph::Model model = graph::build_model(options, input, 1);
  Network network(std::move(model));
  const std::string message = message_of(core::ErrorKind::Numeric, [&] { train(network, task); });
  EXPECT_THAT(message, ::testing::HasSubstr("student: the loss is not a number at step 0"));
  EXPECT_THAT(message, ::testing::HasSubstr("(samples 5: check them)"));
  EXPECT_THAT(message, ::testing::HasSubstr("there is no checkpoint yet"));
}

TEST(Trainer, ALossThatIsNoNumberNamesTheLastGoodCheckpoint) {
  TrainingTask task = task_of(3);
  task.options.checkpoint.every_steps = 3;
  task.checkpoint_name = "run/checkpoint.h5";
  TrainingState last;
  task.on_checkpoint = [&](const TrainingState& state) {
    last = testing::copy_of(state);
  };
  task.on_epoch = [&](const EpochMetrics&) {
    task.options.optimizer.learning_rate = 1e30;
  };
  Network network(quarter_network(1));
  const std::string message = message_of(core::ErrorKind::Numeric, [&] { train(network, task); });
  EXPECT_THAT(message,
              ::testing::HasSubstr(
                  fmt::format("the last good checkpoint is run/checkpoint.h5 (epoch {}, step {})",
                              last.history.size() + 1,
                              last.current.steps)));
  for (const auto& [name, tensor] : last.weights) {
    for (const float value : tensor.data<float>()) {
      EXPECT_TRUE(std::isfinite(value)) << name;
    }
  }
}

TEST(Trainer, EarlyStoppingEndsTheRunWithTheBestWeights) {
  TrainingTask task = task_of(30);
  task.options.early_stopping = {.patience = 2, .min_delta = 0.01};
  task.options.optimizer.learning_rate = 0.05;
  Network network(quarter_network(1));
  const auto history = train(network, task);
  ASSERT_LT(history.size(), 30);
  EarlyStoppingState state;
  double best = 0;
  for (const EpochMetrics& m : history) {
    state = after_epoch(state, m.validation_loss, task.options.early_stopping);
    best = state.just_improved() ? m.validation_loss : best;
  }
  EXPECT_EQ(state.since_best, 2);
  EXPECT_NEAR(evaluate(network, *task.validation).loss, best, 1e-9);
  EXPECT_NE(history.back().validation_loss, best);
}

TEST(Trainer, EarlyStoppingNeedsValidation) {
  TrainingTask task = task_of(3);
  task.options.early_stopping.patience = 1;
  task.validation = nullptr;
  Network network(quarter_network(1));
  EXPECT_THAT(message_of(core::ErrorKind::InvalidArgument, [&] { train(network, task); }),
              ::testing::HasSubstr("'validation'"));
}

TEST(Trainer, TheMovingAverageIsWhatIsValidatedAndKept) {
  TrainingTask task = task_of(2);
  task.options.ema_decay = 0.9;
  task.options.checkpoint.every_steps = 1;
  Network network(quarter_network(1, 0.2));
  NamedTensors expected = copy_weights(network);
  int64_t step = 0;
  TrainingState last;
  task.on_checkpoint = [&](const TrainingState& state) {
    last = testing::copy_of(state);
    const double decay =
        std::min(0.9, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
    ++step;
    for (auto& [name, tensor] : expected) {
      tensor = decay * tensor + (1 - decay) * to_aten(state.weights.at(name));
    }
  };
  const auto history = train(network, task);
  ASSERT_EQ(step, 16);
  for (const auto& [name, tensor] : expected) {
    EXPECT_TRUE(network.weights().at(name).allclose(tensor, 1e-5, 1e-6)) << name;
    EXPECT_FALSE(name == "logits.weight" && to_aten(last.weights.at(name)).allclose(tensor))
        << name;
  }
  EXPECT_NEAR(evaluate(network, *task.validation).loss, history.back().validation_loss, 1e-9);
}

TEST(Trainer, APlateauScheduleLowersTheRate) {
  TrainingTask task = task_of(4);
  task.options.schedule.name = "plateau";
  task.options.schedule.plateau = {.patience = 0, .factor = 0.5, .threshold = 1};
  Network network(quarter_network(1));
  std::vector<double> rates;
  for (const EpochMetrics& m : train(network, task)) {
    rates.push_back(m.learning_rate);
  }
  EXPECT_EQ(rates, (std::vector<double>{0.1, 0.1, 0.05, 0.025}));
}

TEST(Trainer, RefusesEmptyValidationAndOptionsThatDoNotFit) {
  Network network(quarter_network(1));
  const auto refusal = [&](const auto& change) {
    TrainingTask task = task_of(1);
    change(task);
    return message_of(core::ErrorKind::InvalidArgument, [&] { train(network, task); });
  };
  EXPECT_THAT(refusal([](TrainingTask& t) { t.validation = data::make_subset(t.train, {}); }),
              ::testing::HasSubstr("validation data set is empty"));
  EXPECT_THAT(refusal([](TrainingTask& t) { t.train = data::make_subset(t.train, {}); }),
              ::testing::HasSubstr("training data set is empty"));
  EXPECT_THAT(refusal([](TrainingTask& t) { t.options.task.loss = "mse"; }),
              ::testing::HasSubstr("task.loss"));
  EXPECT_THAT(refusal([](TrainingTask& t) {
                t.options.augmentation = {{"noise", 1, 0, 2}};
              }),
              ::testing::HasSubstr("augmentation.0"));
}

/// A data set whose labels nobody checked.
class WrongLabels final : public data::Dataset {
 public:
  explicit WrongLabels(data::DatasetPtr base) : base_(std::move(base)) {}

  int64_t size() const override { return base_->size(); }

  const data::Schema& schema() const override { return base_->schema(); }

  void read(std::span<const int64_t> indices, data::Batch& batch) const override {
    base_->read(indices, batch);
  }

  int64_t label(int64_t index) const override { return index == 3 ? 4 : base_->label(index); }

 private:
  data::DatasetPtr base_;
};

TEST(Trainer, RefusesLabelsOutOfRange) {
  TrainingTask task = task_of(1);
  task.train = std::make_shared<WrongLabels>(task.train);
  Network network(quarter_network(1));
  EXPECT_THAT(message_of(core::ErrorKind::InvalidArgument, [&] { train(network, task); }),
              ::testing::HasSubstr(
                  "sample 3 of the training data has the label 4, but there are 4 classes"));
}

TEST(Trainer, EveryRegulariserChangesTheTraining) {
  const std::string plain = trained_hash(task_of(1));
  const std::map<std::string, std::function<void(recipe::TrainOptions&)>> changes{
      {"l1",
       [](auto& o) {
         o.penalty.l1 = 1e-3;
       }},
      {"l2",
       [](auto& o) {
         o.penalty.l2 = 1e-3;
       }},
      {"group_lasso",
       [](auto& o) {
         o.penalty.group_lasso = 1e-3;
       }},
      {"decoupled_decay",
       [](auto& o) {
         o.penalty.decoupled_decay = 0.1;
       }},
      {"mixup",
       [](auto& o) {
         o.mix.mixup_alpha = 0.2;
       }},
      {"cutmix",
       [](auto& o) {
         o.mix.cutmix_alpha = 1;
       }},
      {"cutout",
       [](auto& o) {
         o.mix.cutout_side = 0.5;
       }},
      {"label_smoothing",
       [](auto& o) {
         o.label_smoothing = 0.1;
       }},
      {"sam",
       [](auto& o) {
         o.sam_rho = 0.05;
       }},
      {"ema",
       [](auto& o) {
         o.ema_decay = 0.9;
       }},
      {"clip_norm",
       [](auto& o) {
         o.gradient_clip = 1e-3;
       }},
      {"clip_value", [](auto& o) {
         o.gradient_clip_value = 1e-3;
       }}};
  for (const auto& [name, change] : changes) {
    TrainingTask task = task_of(1);
    change(task.options);
    EXPECT_NE(trained_hash(task), plain) << name;
  }
}

TEST(Trainer, LearnsUnderAllRegularisersAtOnce) {
  TrainingTask task = task_of(8);
  task.options.penalty = {.l1 = 1e-5, .l2 = 1e-4, .decoupled_decay = 1e-3, .group_lasso = 1e-4};
  task.options.mix = {.mixup_alpha = 0.2, .cutout_side = 0.2};
  task.options.label_smoothing = 0.05;
  task.options.sam_rho = 0.05;
  task.options.ema_decay = 0.95;
  task.options.gradient_clip = 5;
  Network network(quarter_network(1));
  EXPECT_GT(train(network, task).back().validation_accuracy, 0.95);
}

TEST(Trainer, GradientClippingBoundsTheStep) {
  TrainingTask task = task_of(1);
  task.options.gradient_clip = 1e-6;
  task.options.optimizer.weight_decay = 0;
  task.options.optimizer.momentum = 0;
  task.options.optimizer.nesterov = false;
  const graph::Model before = quarter_network(1);
  Network network(before);
  train(network, task);
  const auto a = before.weight("logits.weight").data<float>();
  const graph::Model after = network.to_model();
  const auto b = after.weight("logits.weight").data<float>();
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i], b[i], 1e-5);
  }
}

TEST(Trainer, RefusesUnlabelledSamplesAndForeignClasses) {
  data::Schema schema = quarters(4, 1)->schema();
  TrainingTask task = task_of(1);
  task.train = data::make_memory_dataset(schema, std::vector<std::byte>(128), {0, -1});
  Network network(quarter_network(1));
  const std::string message =
      message_of(core::ErrorKind::InvalidArgument, [&] { train(network, task); });
  EXPECT_THAT(message, ::testing::HasSubstr("sample 1"));
  schema.class_names.push_back("fifth");
  EXPECT_THROW(Teacher(quarter_network(1), schema), core::Error);
}

TEST(Trainer, ReportsProgressToTheEnd) {
  TrainingTask task = task_of(2);
  std::vector<jobs::JobProgress> reports;
  task.on_progress = [&](const jobs::JobProgress& p) {
    reports.push_back(p);
  };
  Network network(quarter_network(1));
  train(network, task);
  ASSERT_GE(reports.size(), 2);
  EXPECT_EQ(reports.back().done, 512);
  EXPECT_EQ(reports.back().total, 512);
  EXPECT_EQ(reports.back().phase, "epoch 2/2");
}

TEST(Evaluate, LeavesOutUnlabelledSamples) {
  const auto labelled = quarters(8, 1);
  data::Batch all = data::read_all(*labelled);
  const data::Batch copy = all;
  all.samples.insert(all.samples.end(), copy.samples.begin(), copy.samples.end());
  all.labels.insert(all.labels.end(), 8, -1);
  const auto mixed = data::make_memory_dataset(labelled->schema(), all.samples, all.labels);
  Network network(quarter_network(1));
  const Evaluation a = evaluate(network, *labelled);
  const Evaluation b = evaluate(network, *mixed, 3);
  EXPECT_NEAR(a.loss, b.loss, 1e-6);
  EXPECT_DOUBLE_EQ(a.accuracy, b.accuracy);
}

}  // namespace

}  // namespace coppice::train
