#include "train/checkpoint.h"

#include <cmath>
#include <csignal>

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/error.h"
#include "core/files.h"
#include "graph/models.h"
#include "samples.h"

namespace coppice::train {

namespace {

using graph::testing::message_of;

Checkpoint sample(int64_t epochs) {
  Checkpoint checkpoint;
  checkpoint.job = "a hash";
  checkpoint.model = testing::quarter_network(3);
  checkpoint.state.weights = checkpoint.model.weights;
  checkpoint.state.optimizer.steps = 42;
  checkpoint.state.optimizer.tensors["momentum/gemm1.weight"] = at::full({2, 3}, 0.25);
  checkpoint.state.optimizer.tensors["momentum/gemm1.bias"] = at::full({2}, -1.0);
  checkpoint.state.best["gemm1.weight"] = at::full({2, 3}, 0.5);
  checkpoint.state.average["gemm1.weight"] = at::full({2, 3}, 0.75);
  checkpoint.state.current = {.steps = 7,
                              .samples = 224,
                              .loss = 100.0 / 3,
                              .correct = 99,
                              .seconds = 1.5,
                              .input_wait_seconds = 0.25};
  checkpoint.state.plateau = {.share = 0.1, .best = 2.0 / 3, .bad_epochs = 2, .cooldown_left = 1};
  checkpoint.state.early_stopping = {.best = 1.0 / 7, .since_best = 3};
  for (int64_t epoch = 1; epoch <= epochs; ++epoch) {
    checkpoint.state.history.push_back({.epoch = epoch, .learning_rate = 0.1, .loss = 1.0 / 3});
  }
  return checkpoint;
}

TEST(Checkpoint, ComesBackAsItWas) {
  const core::TemporaryFolder folder;
  const auto file = folder.path() / "checkpoint.h5";
  const Checkpoint saved = sample(2);
  save_checkpoint(file, saved);
  const Checkpoint loaded = load_checkpoint(file);
  EXPECT_EQ(loaded.job, saved.job);
  EXPECT_EQ(graph::content_hash(loaded.model), graph::content_hash(saved.model));
  EXPECT_EQ(loaded.state.weights.size(), saved.state.weights.size());
  EXPECT_EQ(loaded.state.optimizer.steps, 42);
  ASSERT_EQ(loaded.state.optimizer.tensors.size(), 2);
  for (const auto& [name, tensor] : saved.state.optimizer.tensors) {
    EXPECT_TRUE(loaded.state.optimizer.tensors.at(name).equal(tensor)) << name;
  }
  EXPECT_TRUE(loaded.state.best.at("gemm1.weight").equal(at::full({2, 3}, 0.5)));
  EXPECT_TRUE(loaded.state.average.at("gemm1.weight").equal(at::full({2, 3}, 0.75)));
  EXPECT_EQ(loaded.state.current.steps, 7);
  EXPECT_EQ(loaded.state.current.samples, 224);
  EXPECT_EQ(loaded.state.current.loss, 100.0 / 3);
  EXPECT_EQ(loaded.state.current.correct, 99);
  EXPECT_EQ(loaded.state.current.seconds, 1.5);
  EXPECT_EQ(loaded.state.current.input_wait_seconds, 0.25);
  EXPECT_EQ(loaded.state.plateau.share, 0.1);
  EXPECT_EQ(loaded.state.plateau.best, 2.0 / 3);
  EXPECT_EQ(loaded.state.plateau.bad_epochs, 2);
  EXPECT_EQ(loaded.state.plateau.cooldown_left, 1);
  EXPECT_EQ(loaded.state.early_stopping.best, 1.0 / 7);
  EXPECT_EQ(loaded.state.early_stopping.since_best, 3);
  ASSERT_EQ(loaded.state.history.size(), 2);
  EXPECT_EQ(loaded.state.history[1].epoch, 2);
  EXPECT_EQ(loaded.state.history[1].loss, 1.0 / 3);
  EXPECT_TRUE(std::isnan(loaded.state.history[1].validation_loss));
}

TEST(Checkpoint, IsTheSameBytesForTheSameRun) {
  const core::TemporaryFolder folder;
  save_checkpoint(folder.path() / "a.h5", sample(2));
  save_checkpoint(folder.path() / "b.h5", sample(2));
  EXPECT_EQ(core::read_file(folder.path() / "a.h5"), core::read_file(folder.path() / "b.h5"));
}

TEST(Checkpoint, EveryTruncationIsNoticed) {
  const core::TemporaryFolder folder;
  const auto file = folder.path() / "checkpoint.h5";
  save_checkpoint(file, sample(1));
  const core::Bytes whole = core::read_file(file);
  for (size_t size = 0; size < whole.size(); size += whole.size() / 50 + 1) {
    core::write_file(file, std::span(whole).first(size));
    message_of(core::ErrorKind::Corrupt, [&] { load_checkpoint(file); });
  }
}

TEST(Checkpoint, AlteredBytesNeverGiveOtherValues) {
  const core::TemporaryFolder folder;
  const auto file = folder.path() / "checkpoint.h5";
  save_checkpoint(file, sample(1));
  const core::Bytes whole = core::read_file(file);
  const Checkpoint saved = load_checkpoint(file);
  size_t refused = 0;
  for (size_t at = 0; at < whole.size(); at += 101) {
    core::Bytes altered = whole;
    altered[at] ^= std::byte{0x10};
    core::write_file(file, altered);
    try {
      // HDF5 leaves gaps that mean nothing; a change there must not matter.
      const Checkpoint loaded = load_checkpoint(file);
      EXPECT_EQ(graph::content_hash(loaded.model), graph::content_hash(saved.model)) << at;
      EXPECT_EQ(loaded.state.optimizer.tensors.size(), 2) << at;
    } catch (const core::Error& error) {
      EXPECT_EQ(error.kind(), core::ErrorKind::Corrupt) << at << ": " << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 10);
}

TEST(Checkpoint, AFullDiskLeavesTheLastOneWhole) {
  const core::TemporaryFolder folder;
  const auto file = folder.path() / "checkpoint.h5";
  save_checkpoint(file, sample(1));
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit little{1000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &little);
  EXPECT_THROW(save_checkpoint(file, sample(2)), core::Error);
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(load_checkpoint(file).state.history.size(), 1);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Checkpoint, AMissingFileIsNotFound) {
  message_of(core::ErrorKind::NotFound, [] { load_checkpoint("/nowhere/checkpoint.h5"); });
}

}  // namespace

}  // namespace coppice::train
