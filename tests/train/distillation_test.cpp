// Distillation in training: every term counts, is resumed exactly and leaves no trace in the model.

#include "train/distillation/distillation.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/models.h"
#include "samples.h"
#include "states.h"
#include "train/batch_tensors.h"
#include "train/distillation/hint_terms.h"
#include "train/distillation/regressor.h"
#include "train/evaluate.h"
#include "train/loader.h"
#include "train/network.h"
#include "train/objective.h"
#include "train/trainer.h"

namespace coppice::train {

namespace {

using graph::testing::message_of;
using ::testing::HasSubstr;
using testing::quarter_input;
using testing::quarters;

/// input … conv1, bn1, relu1, (max_pool1, …), flatten or pooling, logits.
graph::Model hinted_cnn(int64_t width, uint64_t seed) {
  return graph::build_model({.name = "cnn", .widths = {width, width}}, quarter_input(), seed);
}

TrainingTask distillation_task(int64_t epochs) {
  TrainingTask task;
  task.train = quarters(96, 1);
  task.options.epochs = epochs;
  task.options.batch_size = 32;
  task.seed = 7;
  return task;
}

/// Between nodes of the first stage, which differ in channels alone.
recipe::HintOptions hint_by(const std::string& method, double weight = 1) {
  recipe::HintOptions options;
  options.method = method;
  options.teacher = "relu1";
  options.student = "relu1";
  options.weight = weight;
  return options;
}

struct Trained {
  graph::Model model;  ///< as it is exported
  graph::Model whole;  ///< as it trained
  std::vector<EpochMetrics> history;
};

Trained distil_once(TrainingTask task, const TrainingState* resume = nullptr, size_t teachers = 1) {
  const graph::Model student = hinted_cnn(4, 1);
  TeacherModels models;
  for (size_t i = 0; i < teachers; ++i) {
    models.emplace_back(i == 0 ? "teacher" : "teacher" + std::to_string(i + 1),
                        hinted_cnn(6, 5 + i));
  }
  const auto& distil = task.options.distil;
  Teacher teacher(models, student, task.train->schema(), distil);
  task.teacher = &teacher;
  Network network(add_regressors(student, distil, teacher.graphs(), task.seed));
  Trained result;
  result.history = train(network, task, resume);
  result.whole = network.to_model();
  result.model = remove_regressors(result.whole);
  return result;
}

std::string distilled_hash(const TrainingTask& task) {
  return graph::content_hash(distil_once(task).model);
}

TEST(Distillation, EveryHintCountsByItsWeight) {
  TrainingTask task = distillation_task(1);
  for (const std::string& method : hint_methods().names()) {
    std::set<std::string> of_method;
    for (const double weight : {0.0, 1.0, 10.0}) {
      task.options.distil.hints = {hint_by(method, weight)};
      of_method.insert(distilled_hash(task));
    }
    EXPECT_EQ(of_method.size(), 3u) << method;
  }
}

TEST(Distillation, EveryOptionOfTheTargetsCounts) {
  const std::vector<std::function<void(recipe::DistilOptions&)>> changes{
      [](auto&) {},
      [](auto& o) { o.alpha = 0.2; },
      [](auto& o) { o.temperature = 2; },
      [](auto& o) { o.standardise = true; },
      [](auto& o) { o.method = "dkd"; },
      [](auto& o) {
        o.method = "dkd";
        o.dkd_alpha = 0;
      },
      [](auto& o) {
        o.method = "dkd";
        o.dkd_beta = 0;
      },
      [](auto& o) { o.alpha = 0; },
      [](auto& o) {
        o.self = true;
      }};
  std::set<std::string> results;
  for (const auto& change : changes) {
    TrainingTask task = distillation_task(1);
    task.options.ema_decay = 0.9;
    change(task.options.distil);
    results.insert(distilled_hash(task));
  }
  EXPECT_EQ(results.size(), changes.size());
}

TEST(Distillation, WithoutTargetsAndAlphaLabelsAloneTeach) {
  TrainingTask task = distillation_task(1);
  task.options.distil.alpha = 0;
  const std::string labels = distilled_hash(task);
  task.options.distil.method = "none";
  EXPECT_EQ(distilled_hash(task), labels);
}

TEST(Distillation, TeachersCountByTheirWeights) {
  TrainingTask task = distillation_task(1);
  const auto result = [&](std::vector<double> weights, size_t teachers) {
    task.options.distil.teacher_weights = std::move(weights);
    return graph::content_hash(distil_once(task, nullptr, teachers).model);
  };
  const std::string first = result({}, 1);
  EXPECT_NE(result({}, 2), first);
  EXPECT_EQ(result({}, 2), result({1, 1}, 2));
  EXPECT_NE(result({}, 2), result({2, 1}, 2));
  EXPECT_THAT(message_of(core::ErrorKind::InvalidArgument,
                         [&] {
                           result({1, 1, 1}, 2);
                         }),
              HasSubstr("3 weights for 2 teachers"));
}

TEST(Distillation, TheMeanOfTeachersIsThatOfTheirProbabilities) {
  recipe::DistilOptions options;
  const auto model = hinted_cnn(4, 1);
  Teacher two({{"teacher", hinted_cnn(6, 5)}, {"teacher2", hinted_cnn(6, 6)}},
              model,
              quarters(4, 1)->schema(),
              options);
  LoadedBatch batch{.batch = {}, .train_positions = {0, 1, 2}, .replay_positions = {}};
  quarters(4, 1)->read(batch.train_positions, batch.batch);
  const auto answers = two.answers(batch, false);
  ASSERT_EQ(answers.size(), 2u);
  const at::Tensor mean = (joint_targets({answers[0]}, {}, options).exp() +
                           joint_targets({answers[1]}, {}, options).exp()) /
                          2;
  EXPECT_TRUE(joint_targets(answers, {}, options).exp().allclose(mean, 1e-5, 1e-6));
  EXPECT_FALSE(mean.allclose(joint_targets({answers[0]}, {}, options).exp(), 1e-3, 1e-3));
}

/// One run with each thing that a checkpoint must carry.
std::map<std::string, recipe::DistilOptions> resumable_options() {
  std::map<std::string, recipe::DistilOptions> all;
  for (const std::string& method : hint_methods().names()) {
    all[method].hints = {hint_by(method)};
  }
  all["dkd"].method = "dkd";
  all["dkd"].standardise = true;
  all["self"].self = true;
  all["self"].hints = {hint_by("fitnets")};
  all["self"].hints[0].of = "self";
  return all;
}

TEST(Distillation, ARunResumedAtAnyStepEndsAsAnUninterruptedOne) {
  for (const auto& [label, options] : resumable_options()) {
    TrainingTask task = distillation_task(2);
    task.options.distil = options;
    task.options.ema_decay = 0.9;
    task.options.checkpoint.every_steps = 1;
    std::vector<TrainingState> states;
    task.on_checkpoint = [&](const TrainingState& state) {
      states.push_back(testing::copy_of(state));
    };
    const std::string whole = graph::content_hash(distil_once(task).whole);
    ASSERT_GE(states.size(), 6u) << label;
    task.on_checkpoint = {};
    for (const TrainingState& state : states) {
      EXPECT_EQ(graph::content_hash(distil_once(task, &state).whole), whole)
          << label << ", " << state.history.size() << " epochs and " << state.current.steps
          << " steps";
    }
  }
}

TEST(Distillation, RegressorsLearnAndAreNotExported) {
  TrainingTask task = distillation_task(1);
  task.options.distil.hints = {hint_by("attention"), hint_by("fitnets")};
  const graph::Model student = hinted_cnn(4, 1);
  const Trained trained = distil_once(task);
  const std::string weight = "distil_regressor1.linear.weight";
  ASSERT_TRUE(trained.whole.is_weight(weight));
  EXPECT_EQ(trained.whole.weight(weight).shape(), (graph::Shape{6, 4, 1, 1}));
  EXPECT_EQ(trained.whole.graph.at("distil_regressor1").op, graph::Op::Relu);
  Teacher teacher(
      {{"teacher", hinted_cnn(6, 5)}}, student, task.train->schema(), task.options.distil);
  const graph::Model before =
      add_regressors(student, task.options.distil, teacher.graphs(), task.seed);
  const auto drawn = before.weight(weight).data<float>();
  const auto learnt = trained.whole.weight(weight).data<float>();
  EXPECT_FALSE(std::ranges::equal(drawn, learnt));
  // The exported graph is the student's own.
  EXPECT_EQ(trained.model.graph.outputs, student.graph.outputs);
  ASSERT_EQ(trained.model.graph.nodes.size(), student.graph.nodes.size());
  EXPECT_EQ(trained.model.weights.size(), student.weights.size());
  EXPECT_EQ(graph::content_hash(remove_regressors(before)), graph::content_hash(student));
}

TEST(Distillation, HintsAloneLeaveLaterLayersAsTheyWere) {
  // FitNets' first stage.
  TrainingTask task = distillation_task(1);
  task.options.optimizer.weight_decay = 0;
  task.options.distil.method = "none";
  task.options.distil.alpha = 1;
  task.options.distil.hints = {hint_by("fitnets")};
  const graph::Model student = hinted_cnn(4, 1);
  const Trained trained = distil_once(task);
  const auto same = [&](const std::string& weight) {
    return std::ranges::equal(student.weight(weight).data<float>(),
                              trained.model.weight(weight).data<float>());
  };
  EXPECT_FALSE(same("conv1.weight"));
  EXPECT_TRUE(same("conv2.weight"));
  EXPECT_TRUE(same("logits.weight"));
}

TEST(Distillation, HintsBringTheNodesTogether) {
  const std::map<std::string, double> weights{
      {"fitnets", 10}, {"attention", 500}, {"rkd", 10}, {"similarity", 1000}, {"pkt", 100}};
  for (const std::string& method : hint_methods().names()) {
    const auto loss_of_hint = [&](double weight) {
      TrainingTask task = distillation_task(8);
      task.options.gradient_clip = 1;
      task.options.distil.method = "none";
      task.options.distil.alpha = weight > 0 ? 1 : 0;
      task.options.distil.hints = {hint_by(method, weight)};
      task.options.optimizer.learning_rate = 0.05;
      const Trained trained = distil_once(task);
      task.options.distil.alpha = 1;
      task.options.distil.hints = {hint_by(method)};
      Network network(trained.whole);
      Teacher teacher({{"teacher", hinted_cnn(6, 5)}},
                      hinted_cnn(4, 1),
                      task.train->schema(),
                      task.options.distil);
      const auto objective = make_objective(task.options, task.train->schema(), network.to_model());
      LoadedBatch batch;
      for (int64_t i = 0; i < 32; ++i) {
        batch.train_positions.push_back(i);
      }
      const auto fresh = quarters(32, 9);
      fresh->read(batch.train_positions, batch.batch);
      const Activations values = network.forward(samples_of(batch.batch, fresh->schema()),
                                                 {.training = true, .keep = objective->reads()});
      return objective->loss(values, batch, {}, &teacher).item<double>();
    };
    EXPECT_LT(loss_of_hint(weights.at(method)), loss_of_hint(0)) << method;
  }
}

TEST(Distillation, ADistilledStudentIsBetterOnHeldOutData) {
  // Half of the student's labels are wrong; its teacher has learnt from right ones.
  TrainingTask task = distillation_task(10);
  task.train = quarters(256, 3);
  task.options.gradient_clip = 1;
  const auto held_out = quarters(256, 4);
  Network master(testing::quarter_network(5));
  train(master, task);
  ASSERT_GT(evaluate(master, *held_out).accuracy, 0.95);
  data::Batch noisy = data::read_all(*quarters(256, 1));
  for (size_t i = 0; i < noisy.labels.size(); ++i) {
    noisy.labels[i] = (noisy.labels[i] + static_cast<int64_t>(i / 4 % 2)) % 4;
  }
  task.train = data::make_memory_dataset(held_out->schema(), noisy.samples, noisy.labels);
  const auto accuracy = [&](const std::string& method, bool taught) {
    task.options.distil.method = method;
    task.options.distil.alpha = 0.9;
    Teacher teacher(master.to_model(), held_out->schema());
    task.teacher = taught ? &teacher : nullptr;
    Network student(testing::quarter_network(1));
    train(student, task);
    return evaluate(student, *held_out).accuracy;
  };
  const double alone = accuracy("soft", false);
  EXPECT_LT(alone, 0.9);
  for (const std::string method : {"soft", "dkd"}) {
    EXPECT_GT(accuracy(method, true), alone + 0.05) << method;
  }
}

TEST(Distillation, WhatDoesNotFitIsRefused) {
  const auto refused = [](core::ErrorKind kind, const std::function<void(TrainingTask&)>& change) {
    TrainingTask task = distillation_task(1);
    change(task);
    return message_of(kind, [&] { distil_once(task); });
  };
  using core::ErrorKind;
  EXPECT_THAT(refused(ErrorKind::NotFound,
                      [](auto& task) {
                        task.options.distil.hints = {hint_by("rkd")};
                        task.options.distil.hints[0].teacher = "relu9";
                      }),
              HasSubstr("distil.hints.0.teacher: the teacher's graph has no node 'relu9' (did you "
                        "mean 'relu"));
  EXPECT_THAT(
      refused(ErrorKind::InvalidArgument, [](auto& task) { task.options.distil.self = true; }),
      HasSubstr("ema_decay"));
  TrainingTask alone = distillation_task(1);
  alone.options.distil.hints = {hint_by("rkd")};
  Network network(hinted_cnn(4, 1));
  EXPECT_THAT(message_of(ErrorKind::InvalidArgument, [&] { train(network, alone); }),
              HasSubstr("no teacher"));
  Teacher teacher({{"teacher", hinted_cnn(6, 5)}},
                  hinted_cnn(4, 1),
                  alone.train->schema(),
                  alone.options.distil);
  alone.options.distil.hints = {hint_by("fitnets")};
  alone.teacher = &teacher;
  EXPECT_THAT(message_of(ErrorKind::InvalidArgument, [&] { train(network, alone); }),
              HasSubstr("no regressor"));
}

}  // namespace

}  // namespace coppice::train
