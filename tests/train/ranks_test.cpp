// Several ranks as threads of this process; ../system/ranks_test.cpp has them as processes.

#include <barrier>
#include <cmath>
#include <thread>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "samples.h"
#include "states.h"
#include "train/loader.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/ranks/joint_step.h"
#include "train/ranks/rank_group.h"
#include "train/trainer.h"

namespace coppice::train {

namespace {

using ::testing::HasSubstr;
using testing::quarter_input;
using testing::quarter_network;
using testing::quarters;

/// What ranks of one process share.
struct Meeting {
  explicit Meeting(int64_t ranks) : parts(static_cast<size_t>(ranks)), all(ranks) {}

  std::vector<at::Tensor> parts;
  std::barrier<> all;
};

class ThreadRank final : public RankGroup {
 public:
  ThreadRank(Meeting& meeting, int64_t rank)
      : meeting_(meeting),
        placement_{.rank = rank, .ranks = static_cast<int64_t>(meeting.parts.size())} {}

  const Placement& placement() const override { return placement_; }

  void sum(at::Tensor& values) override {
    meeting_.parts[static_cast<size_t>(placement_.rank)] = values.clone();
    meeting_.all.arrive_and_wait();
    at::Tensor total = meeting_.parts[0].clone();
    for (size_t i = 1; i < meeting_.parts.size(); ++i) {
      total.add_(meeting_.parts[i]);
    }
    meeting_.all.arrive_and_wait();
    values.copy_(total);
  }

  void leave() override {}

  void abandon(const core::Error& /*error*/) override {}

 private:
  Meeting& meeting_;
  Placement placement_;
};

/// Calls `work(group)` on a thread for each rank.
template <class Work>
void as_ranks(int64_t ranks, Work work) {
  Meeting meeting(ranks);
  std::vector<std::jthread> threads;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadRank group(meeting, rank);
      work(group);
    });
  }
}

TrainingTask shared_task() {
  TrainingTask task;
  task.train = quarters(90, 1);  // batches of 30
  task.options.epochs = 1;
  task.options.batch_size = 32;
  task.options.optimizer.learning_rate = 0.1;
  task.options.optimizer.momentum = 0;
  task.options.augmentation = {{.name = "noise", .probability = 0.5, .low = 0, .high = 0.3}};
  task.seed = 7;
  return task;
}

graph::Model image_network(bool with_norm) {
  return graph::build_model({.name = with_norm ? "cnn" : "mlp", .widths = {8}}, quarter_input(), 3);
}

struct RankResult {
  graph::Weights weights;
  std::vector<EpochMetrics> history;
};

std::vector<RankResult> train_as(int64_t ranks,
                                 const graph::Model& model,
                                 const TrainingTask& task,
                                 const TrainingState* resume = nullptr) {
  std::vector<RankResult> results(static_cast<size_t>(ranks));
  const auto run = [&](RankGroup* group) {
    TrainingTask own = task;
    own.ranks = group;
    const auto rank = static_cast<size_t>(group == nullptr ? 0 : group->placement().rank);
    own.on_checkpoint = rank == 0 ? task.on_checkpoint : nullptr;
    Network network(model);
    results[rank].history = train(network, own, resume);
    results[rank].weights = network.to_model().weights;
  };
  if (ranks == 1) {
    run(nullptr);
  } else {
    as_ranks(ranks, [&](RankGroup& group) { run(&group); });
  }
  return results;
}

double largest_difference(const graph::Weights& a, const graph::Weights& b) {
  double largest = 0;
  for (const auto& [name, tensor] : a) {
    if (tensor.dtype() != graph::DType::F32) {
      continue;
    }
    const auto left = tensor.data<float>();
    const auto right = b.at(name).data<float>();
    for (size_t i = 0; i < left.size(); ++i) {
      largest = std::max(largest, static_cast<double>(std::abs(left[i] - right[i])));
    }
  }
  return largest;
}

/// The parts of training that work on gradients, on the joint batch and on its parts.
std::map<std::string, TrainingTask> shared_tasks() {
  std::map<std::string, TrainingTask> tasks{{"plain", shared_task()}};
  TrainingTask& sharp = tasks["sharpness, penalty and clipping"] = shared_task();
  sharp.options.sam_rho = 0.05;
  sharp.options.penalty.l1 = 1e-3;
  sharp.options.gradient_clip = 0.5;
  TrainingTask& replay = tasks["replay"] = shared_task();
  replay.replay = quarters(20, 3);
  replay.options.replay_share = 0.1;  // 3 samples: fewer than some ranks
  return tasks;
}

TEST(Ranks, GiveTheGradientsOfTheJointBatch) {
  for (const auto& [label, task] : shared_tasks()) {
    const RankResult whole = train_as(1, image_network(false), task).front();
    for (const int64_t ranks : {2, 4, 7}) {  // of which 4 and 7 share a batch of 30 unevenly
      const auto shared = train_as(ranks, image_network(false), task);
      for (const RankResult& one : shared) {
        EXPECT_LT(largest_difference(one.weights, whole.weights), 1e-5) << label << ", " << ranks;
        EXPECT_EQ(largest_difference(one.weights, shared[0].weights), 0) << label;
        EXPECT_NEAR(one.history.back().loss, whole.history.back().loss, 1e-5) << label;
        EXPECT_EQ(one.history.back().accuracy, whole.history.back().accuracy) << label;
      }
    }
    EXPECT_GT(largest_difference(whole.weights, image_network(false).weights), 1e-2);
  }
}

TEST(Ranks, AverageTheRunningStatisticsOfTheirShares) {
  TrainingTask task = shared_task();
  task.validation = quarters(40, 2);
  task.options.batch_size = 30;
  const auto shared = train_as(2, image_network(true), task);
  EXPECT_EQ(largest_difference(shared[0].weights, shared[1].weights), 0) << "BN's among them";
  EXPECT_EQ(shared[1].history.back().validation_loss, shared[0].history.back().validation_loss);
  EXPECT_GT(shared[1].history.back().validation_accuracy, 0);
  // The mean over shares of equal size is that of the joint batch, where nothing is learnt.
  task.options.optimizer.learning_rate = 1e-12;
  const graph::Weights joint = train_as(1, image_network(true), task).front().weights;
  const graph::Weights parts = train_as(2, image_network(true), task).front().weights;
  const graph::Model model = image_network(true);
  for (const graph::Node& node : model.graph.nodes) {
    if (node.op == graph::Op::BatchNorm) {
      const std::string& mean = node.inputs[3];
      EXPECT_LT(largest_difference({{mean, joint.at(mean)}}, {{mean, parts.at(mean)}}), 1e-5);
    }
  }
}

TEST(Ranks, GoOnFromACheckpointWithTheSameBits) {
  TrainingTask task = shared_task();
  task.options.checkpoint.every_steps = 1;
  task.options.optimizer.momentum = 0.9;
  std::vector<TrainingState> states;
  task.on_checkpoint = [&](const TrainingState& state) {
    states.push_back(testing::copy_of(state));
  };
  const auto whole = train_as(2, image_network(true), task);
  ASSERT_GE(states.size(), 2);
  const TrainingState first = states.front();
  const auto resumed = train_as(2, image_network(true), task, &first);
  EXPECT_EQ(largest_difference(resumed[1].weights, whole[0].weights), 0);
}

TEST(Ranks, RefuseToBeginUnlike) {
  std::vector<std::string> messages(2);
  as_ranks(2, [&](RankGroup& group) {
    TrainingTask task = shared_task();
    task.ranks = &group;
    Network network(quarter_network(static_cast<uint64_t>(1 + group.placement().rank)));
    try {
      train(network, task);
    } catch (const core::Error& error) {
      messages[static_cast<size_t>(group.placement().rank)] = error.what();
    }
  });
  for (const std::string& message : messages) {
    EXPECT_THAT(message, HasSubstr("do not begin with the same"));
  }
}

TEST(Ranks, ABatchTooSmallToShareIsRefused) {
  const LoaderOptions options{.batch_size = 3, .share = {.rank = 1, .ranks = 4}};
  try {
    const Loader loader(quarters(30, 1), nullptr, options);
    FAIL() << "nothing was refused";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), core::ErrorKind::InvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("4 ranks cannot share a batch of 3 samples"));
  }
}

TEST(Ranks, ShareABatchSampleBySampleAsItIs) {
  const auto batches = [](BatchShare share) {
    LoaderOptions options{.batch_size = 16, .replay_share = 0.3, .seed = 5, .share = share};
    options.augmentation = {{.name = "noise", .low = 0.1, .high = 0.3}};
    Loader loader(quarters(50, 1), quarters(20, 2), options);
    std::vector<std::unique_ptr<LoadedBatch>> all;
    loader.start_epoch(1);
    while (auto batch = loader.next()) {
      all.push_back(std::move(batch));
    }
    return all;
  };
  const auto whole = batches({});
  const auto first = batches({.rank = 0, .ranks = 2});
  const auto second = batches({.rank = 1, .ranks = 2});
  ASSERT_EQ(first.size(), whole.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    // Fresh ones of both, then replayed ones of both.
    const auto pieces = [&](const LoadedBatch& batch) {
      const auto middle = batch.batch.samples.begin() +
                          static_cast<std::ptrdiff_t>(batch.train_positions.size() * 64);
      return std::pair(std::vector(batch.batch.samples.begin(), middle),
                       std::vector(middle, batch.batch.samples.end()));
    };
    std::vector<std::byte> joined;
    const auto [fresh_a, replayed_a] = pieces(*first[i]);
    const auto [fresh_b, replayed_b] = pieces(*second[i]);
    for (const auto* part : {&fresh_a, &fresh_b, &replayed_a, &replayed_b}) {
      joined.insert(joined.end(), part->begin(), part->end());
    }
    EXPECT_TRUE(joined == whole[i]->batch.samples) << i;
    EXPECT_EQ(first[i]->joint_size, whole[i]->batch.size);
  }
}

}  // namespace

}  // namespace coppice::train
