#include "train/strategy.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "samples.h"
#include "states.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/strategies/l2_sp.h"
#include "train/trainer.h"

namespace coppice::train {

namespace {

using testing::quarter_network;
using testing::quarters;

TrainingTask task_of(const std::vector<Strategy*>& strategies) {
  TrainingTask task;
  task.train = quarters(128, 1);
  task.options.epochs = 3;
  task.options.batch_size = 32;
  task.options.optimizer.weight_decay = 0;
  task.strategies = strategies;
  return task;
}

double distance(const graph::Model& a, const graph::Model& b) {
  double sum = 0;
  for (const auto& [name, tensor] : a.weights) {
    const auto x = tensor.data<float>();
    const auto y = b.weight(name).data<float>();
    for (size_t i = 0; i < x.size(); ++i) {
      sum += (x[i] - y[i]) * (x[i] - y[i]);
    }
  }
  return sum;
}

class Recorder final : public Strategy {
 public:
  std::string_view name() const override { return "recorder"; }

  void experience_begins(const Experience& e) override {
    calls += 'b';
    samples = e.train.size();
  }

  void before_step(TrainingStep& step) override {
    calls += '<';
    EXPECT_EQ(step.logits.size(0), step.batch.size);
    EXPECT_FALSE(step.network.parameters()[0].value.grad().defined());
    before = step.network.parameters()[0].value.detach().clone();
  }

  void after_step(const TrainingStep& step) override {
    calls += '>';
    EXPECT_FALSE(step.network.parameters()[0].value.equal(before));
  }

  void experience_ends(const Experience&) override { calls += 'e'; }

  std::string calls;
  int64_t samples = 0;
  at::Tensor before;
};

TEST(Strategy, HooksAreCalledInOrder) {
  Recorder recorder;
  TrainingTask task = task_of({&recorder});
  task.options.epochs = 1;
  Network network(quarter_network(1));
  train(network, task);
  EXPECT_EQ(recorder.calls, "b<><><><>e");
  EXPECT_EQ(recorder.samples, 128);
}

/// What every strategy must keep to.
class StrategyConformance : public ::testing::TestWithParam<std::string> {
 protected:
  static std::string run(int64_t resume_after) {
    const auto strategy = built_in_strategies().get(GetParam())();
    EXPECT_EQ(strategy->name(), GetParam());
    TrainingTask task = task_of({strategy.get()});
    TrainingState kept;
    task.on_checkpoint = [&](const TrainingState& state) {
      if (static_cast<int64_t>(state.history.size()) == resume_after) {
        kept = testing::copy_of(state);
      }
    };
    Network network(quarter_network(1));
    train(network, task);
    if (resume_after > 0) {
      Network again(quarter_network(1));
      train(again, task, &kept);
      return graph::content_hash(again.to_model());
    }
    return graph::content_hash(network.to_model());
  }
};

TEST_P(StrategyConformance, TheSameSeedGivesTheSameWeights) {
  EXPECT_EQ(run(0), run(0));
}

TEST_P(StrategyConformance, AResumedRunEndsAsAnUninterruptedOne) {
  EXPECT_EQ(run(2), run(0));
}

TEST_P(StrategyConformance, ChangesTheTraining) {
  Network plain(quarter_network(1));
  train(plain, task_of({}));
  EXPECT_NE(run(0), graph::content_hash(plain.to_model()));
}

INSTANTIATE_TEST_SUITE_P(BuiltIn,
                         StrategyConformance,
                         ::testing::ValuesIn(built_in_strategies().names()));

TEST(L2Sp, HoldsWeightsNearWhereTheyBegan) {
  const graph::Model start = quarter_network(1);
  const auto moved = [&](double strength) {
    const auto strategy = make_l2_sp_of(strength);
    Network network(start);
    train(network, task_of({strategy.get()}));
    return distance(network.to_model(), start);
  };
  EXPECT_LT(moved(5), 0.25 * moved(0));
}

TEST(L2Sp, PenaltyIsHalfTheStrengthTimesTheSquaredDistance) {
  const auto dataset = quarters(4, 1);
  const auto strategy = make_l2_sp_of(3);
  Network network(quarter_network(1));
  strategy->experience_begins({network, *dataset});
  const Parameter& weight = network.parameters()[0];
  weight.value.detach()[0][0].add_(2);
  const data::Batch batch = data::read_all(*dataset);
  const at::Tensor nothing;
  at::Tensor loss = at::zeros({});
  TrainingStep step{network, 0, batch, nothing, nothing, loss};
  strategy->before_step(step);
  EXPECT_NEAR(loss.item<double>(), 3.0 / 2 * 4, 1e-5);
  loss.backward();
  EXPECT_NEAR(weight.value.grad()[0][0].item<double>(), 3 * 2, 1e-5);
  EXPECT_EQ(weight.value.grad()[0][1].item<double>(), 0);
}

}  // namespace

}  // namespace coppice::train
