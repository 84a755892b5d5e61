#include "train/structure.h"

#include <cmath>
#include <map>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compress/sparsify.h"
#include "compress/weight_sharing.h"
#include "core/error.h"
#include "graph/models.h"
#include "samples.h"
#include "states.h"
#include "train/batch_tensors.h"
#include "train/network.h"
#include "train/optimizer.h"
#include "train/parameter.h"
#include "train/trainer.h"

namespace coppice::train {

namespace {

using graph::testing::message_of;
using ::testing::HasSubstr;
using testing::quarter_network;
using testing::quarters;

TrainingTask structure_task(int64_t epochs) {
  TrainingTask task;
  task.train = quarters(256, 1);
  task.options.epochs = epochs;
  task.options.batch_size = 32;
  task.options.optimizer.learning_rate = 0.02;
  task.seed = 7;
  return task;
}

graph::Model sparse_network() {
  return compress::sparsify(quarter_network(1), {.share = 0.7, .scope = "layer"});
}

graph::Model shared_network() {
  return compress::share_weights(sparse_network(), {.linear_bits = 3});
}

graph::Model trained(const graph::Model& start,
                     const TrainingTask& task,
                     const TrainingState* resume = nullptr) {
  Network network(start);
  train(network, task, resume);
  return network.to_model();
}

int64_t zeros_in(const graph::Model& model, const std::string& weight) {
  const auto values = model.weight(weight).data<float>();
  return std::count(values.begin(), values.end(), 0.0F);
}

/// Positions that share a value in `before` do so in `after`, with its zeros zero.
void expect_same_clusters(const graph::Model& before, const graph::Model& after) {
  for (const std::string name : {"gemm1.weight", "logits.weight"}) {
    const auto old = before.weight(name).data<float>();
    const auto now = after.weight(name).data<float>();
    std::map<float, float> moved;
    for (size_t i = 0; i < old.size(); ++i) {
      const auto [entry, is_new] = moved.emplace(old[i], now[i]);
      ASSERT_EQ(entry->second, now[i]) << name << " " << i;
    }
    EXPECT_EQ(moved.at(0), 0) << name;
  }
}

TEST(KeptZeros, StayZeroWithEveryOptimizerAndTheOthersLearn) {
  const graph::Model start = sparse_network();
  for (const std::string& optimizer : optimizers().names()) {
    TrainingTask task = structure_task(6);
    task.options.keep = "zeros";
    task.options.optimizer.name = optimizer;
    task.options.optimizer.decay_all = true;
    task.options.penalty.l1 = 1e-4;
    task.options.penalty.l2 = 1e-4;
    task.options.sam_rho = optimizer == "sgd" ? 0.05 : 0;
    Network network(start);
    const auto history = train(network, task);
    const graph::Model after = network.to_model();
    EXPECT_GT(history.back().accuracy, 0.85) << optimizer;
    for (const std::string name : {"gemm1.weight", "logits.weight"}) {
      const auto old = start.weight(name).data<float>();
      const auto now = after.weight(name).data<float>();
      for (size_t i = 0; i < old.size(); ++i) {
        ASSERT_EQ(old[i] == 0, now[i] == 0) << optimizer << " " << name << " " << i;
      }
    }
  }
  EXPECT_LT(zeros_in(trained(start, structure_task(1)), "gemm1.weight"), 10) << "without keep";
}

TEST(KeptZeros, ANetworkWithoutAnyIsRefused) {
  TrainingTask task = structure_task(1);
  task.options.keep = "zeros";
  EXPECT_THAT(
      message_of(core::ErrorKind::InvalidArgument, [&] { trained(quarter_network(1), task); }),
      HasSubstr("sparsify"));
}

TEST(KeptShared, ClustersStayWithEveryOptimizerAndTheirValuesLearn) {
  const graph::Model start = shared_network();
  for (const std::string& optimizer : optimizers().names()) {
    TrainingTask task = structure_task(3);
    task.options.keep = "shared";
    task.options.optimizer.name = optimizer;
    task.options.optimizer.learning_rate = 0.002;
    Network network(start);
    const auto history = train(network, task);
    const graph::Model after = network.to_model();
    expect_same_clusters(start, after);
    EXPECT_NE(graph::content_hash(start), graph::content_hash(after)) << optimizer;
    EXPECT_LT(history.back().loss, history.front().loss) << optimizer;
  }
  message_of(core::ErrorKind::InvalidArgument, [&] {
    TrainingTask task = structure_task(1);
    task.options.keep = "shared";
    trained(quarter_network(1), task);
  });
}

TEST(KeptShared, AValuesGradientIsThatOfTheLossByIt) {
  const graph::Model start = shared_network();
  Network network(start);
  const auto structure = make_kept_shared(network);
  const auto data = quarters(64, 3);
  const data::Batch batch = data::read_all(*data);
  const at::Tensor samples = samples_of(batch, data->schema());
  const auto loss_of = [&] {
    return network.logits(samples).square().mean();
  };
  network.clear_gradients();
  loss_of().backward();
  structure->fit_gradients();
  const Parameter& logits = network.parameters().at(2);
  ASSERT_EQ(logits.name, "logits.weight");
  const at::Tensor gradient = logits.value.grad().clone();
  const at::NoGradGuard no_grad;
  const auto values = start.weight("logits.weight").data<float>();
  for (const size_t at : {size_t{1}, size_t{20}, size_t{40}}) {
    const float value = values[at];
    const auto told = gradient.flatten()[static_cast<int64_t>(at)].item<float>();
    if (value == 0) {
      EXPECT_EQ(told, 0);
      continue;
    }
    const at::Tensor members = logits.value.detach().eq(value);
    const auto shifted = [&](double by) {
      const at::Tensor before = logits.value.detach().clone();
      logits.value.detach().copy_(before + members * by);
      const double loss = loss_of().item<double>();
      logits.value.detach().copy_(before);
      return loss;
    };
    const double measured = (shifted(1e-2) - shifted(-1e-2)) / 2e-2;
    EXPECT_NEAR(told, measured, 1e-3 * std::max(1.0, std::abs(measured))) << at;
  }
}

TEST(GrowingSparsity, ReachesItsShareOnTheWay) {
  const graph::Model start = quarter_network(1);  // 64 x 16 and 16 x 4 weights
  TrainingTask task = structure_task(4);          // 32 steps
  task.options.sparsity = {.share = 0.8, .begin = 0.25, .end = 0.75, .every_steps = 4};
  task.options.checkpoint.every_steps = 1;
  std::map<int64_t, int64_t> zeros;
  int64_t step = 0;
  task.on_checkpoint = [&](const TrainingState& state) {
    step = static_cast<int64_t>(state.history.size()) * 8 + state.current.steps;
    graph::Model now = start;
    now.weights = state.weights;
    zeros[step] = zeros_in(now, "gemm1.weight") + zeros_in(now, "logits.weight");
  };
  const graph::Model after = trained(start, task);
  const auto of_all = [](double share) {
    return std::lround(share * 1088);
  };
  EXPECT_EQ(zeros.at(7), 0);
  EXPECT_EQ(zeros.at(8), 0) << "the first cut is at the initial share";
  EXPECT_EQ(zeros.at(12), of_all(0.8 * (1 - std::pow(0.75, 3))));
  EXPECT_EQ(zeros.at(15), zeros.at(12));
  EXPECT_EQ(zeros.at(16), of_all(0.8 * (1 - std::pow(0.5, 3))));
  EXPECT_EQ(zeros.at(24), of_all(0.8));
  EXPECT_EQ(zeros_in(after, "gemm1.weight") + zeros_in(after, "logits.weight"), of_all(0.8));
}

TEST(GrowingSparsity, WhatCannotBeReachedIsToldBeforeTheFirstStep) {
  TrainingTask task = structure_task(1);
  task.options.sparsity = {.share = 0.9, .max_share_per_layer = 0.5};
  EXPECT_THAT(
      message_of(core::ErrorKind::InvalidArgument, [&] { trained(quarter_network(1), task); }),
      HasSubstr("cannot be reached"));
}

TEST(Structures, ARunResumedAtAnyStepEndsAsAnUninterruptedOne) {
  TrainingTask zeros = structure_task(2);
  zeros.options.keep = "zeros";
  TrainingTask shared = structure_task(2);
  shared.options.keep = "shared";
  shared.options.optimizer.name = "adam";
  shared.options.optimizer.learning_rate = 0.002;
  TrainingTask growing = structure_task(2);
  growing.options.sparsity = {.share = 0.8, .end = 0.8, .every_steps = 3};
  growing.options.optimizer.name = "adam";
  growing.options.optimizer.learning_rate = 0.01;
  const std::vector<std::pair<graph::Model, TrainingTask>> runs{
      {sparse_network(), zeros}, {shared_network(), shared}, {quarter_network(1), growing}};
  for (auto [start, task] : runs) {
    task.options.checkpoint.every_steps = 1;
    std::vector<TrainingState> states;
    task.on_checkpoint = [&](const TrainingState& state) {
      states.push_back(testing::copy_of(state));
    };
    const std::string whole = graph::content_hash(trained(start, task));
    const auto saved = states;
    ASSERT_GE(saved.size(), 16u);
    for (size_t i = 0; i < saved.size(); i += 3) {
      EXPECT_EQ(graph::content_hash(trained(start, task, &saved[i])), whole) << i;
    }
  }
}

}  // namespace

}  // namespace coppice::train
