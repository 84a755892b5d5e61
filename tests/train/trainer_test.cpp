#include "train/trainer.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/split.h"
#include "graph/models.h"
#include "samples.h"
#include "train/evaluate.h"
#include "train/loader.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/strategy.h"
#include "train/teacher.h"

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

TEST(Trainer, AResumedRunEndsAsAnUninterruptedOne) {
  for (const std::string optimizer : {"sgd", "adamw"}) {
    TrainingTask task = task_of(4);
    task.options.optimizer.name = optimizer;
    task.options.optimizer.learning_rate = 0.01;
    std::vector<TrainingState> states;
    task.on_epoch = [&](const TrainingState& state) {
      states.push_back({state.weights, state.optimizer, state.history});
      for (auto& [name, tensor] : states.back().optimizer.tensors) {
        tensor = tensor.clone();
      }
    };
    const std::string whole = trained_hash(task);
    ASSERT_EQ(states.size(), 4);
    const auto saved = states;
    for (const TrainingState& state : saved) {
      EXPECT_EQ(trained_hash(task, &state), whole)
          << state.history.size() << " epochs of " << optimizer;
    }
  }
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
    const at::Tensor a = in_loop.targets(batch, replayed_only);
    EXPECT_EQ(a.size(0), replayed_only ? 2 : 5);
    EXPECT_TRUE(a.allclose(ahead.targets(batch, replayed_only), 1e-5, 1e-5));
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
  EXPECT_THAT(message, ::testing::HasSubstr("(samples 5)"));
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
