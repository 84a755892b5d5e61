#include "train/loader.h"

#include <algorithm>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "core/error.h"
#include "samples.h"

namespace coppice::train {

namespace {

using testing::quarters;

std::vector<LoadedBatch> load_epoch(Loader& loader, int64_t epoch) {
  std::vector<LoadedBatch> batches;
  loader.start_epoch(epoch);
  while (auto batch = loader.next()) {
    batches.push_back(std::move(*batch));
  }
  return batches;
}

std::vector<int64_t> positions(const std::vector<LoadedBatch>& batches) {
  std::vector<int64_t> all;
  for (const LoadedBatch& b : batches) {
    all.insert(all.end(), b.train_positions.begin(), b.train_positions.end());
  }
  return all;
}

TEST(Loader, AnEpochIsOnePassInBatchesOfAlmostOneSize) {
  Loader loader(quarters(101, 1), nullptr, {.batch_size = 20});
  EXPECT_EQ(loader.steps_per_epoch(), 6);
  EXPECT_EQ(loader.samples_per_epoch(), 101);
  const auto batches = load_epoch(loader, 0);
  ASSERT_EQ(batches.size(), 6);
  for (const LoadedBatch& b : batches) {
    EXPECT_GE(b.batch.size, 16);
    EXPECT_LE(b.batch.size, 17);
  }
  auto order = positions(batches);
  EXPECT_FALSE(std::ranges::is_sorted(order));
  std::ranges::sort(order);
  for (int64_t i = 0; i < 101; ++i) {
    EXPECT_EQ(order[static_cast<size_t>(i)], i);
  }
}

TEST(Loader, AnEpochBegunLaterGoesOnAlike) {
  const auto dataset = quarters(50, 1);
  const LoaderOptions options{
      .batch_size = 8, .replay_share = 0.25, .augmentation = {{.name = "noise", .high = 0.2}}};
  Loader whole(dataset, dataset, options);
  const auto batches = load_epoch(whole, 1);
  for (size_t first = 0; first <= batches.size(); ++first) {
    Loader later(dataset, dataset, options);
    later.start_epoch(1, static_cast<int64_t>(first));
    for (size_t i = first; i < batches.size(); ++i) {
      const auto batch = later.next();
      ASSERT_NE(batch, nullptr);
      EXPECT_EQ(batch->batch.samples, batches[i].batch.samples) << first;
      EXPECT_EQ(batch->train_positions, batches[i].train_positions) << first;
      EXPECT_EQ(batch->replay_positions, batches[i].replay_positions) << first;
    }
    EXPECT_EQ(later.next(), nullptr);
  }
}

TEST(Loader, LabelsBelongToTheSamples) {
  const auto dataset = quarters(40, 1);
  Loader loader(dataset, nullptr, {.batch_size = 7});
  for (const LoadedBatch& b : load_epoch(loader, 0)) {
    data::Batch expected;
    dataset->read(b.train_positions, expected);
    EXPECT_EQ(b.batch.samples, expected.samples);
    EXPECT_EQ(b.batch.labels, expected.labels);
    EXPECT_EQ(b.batch.ids, expected.ids);
  }
}

TEST(Loader, OrderFollowsFromSeedAndEpochAlone) {
  const auto dataset = quarters(64, 1);
  const LoaderOptions options{
      .batch_size = 16, .augmentation = {{.name = "noise", .low = 0.1, .high = 0.2}}, .seed = 3};
  Loader a(dataset, dataset, options);
  Loader b(dataset, dataset, options);
  load_epoch(a, 0);
  const auto first = load_epoch(a, 1);
  const auto second = load_epoch(b, 1);
  ASSERT_EQ(first.size(), second.size());
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].batch.samples, second[i].batch.samples);
    EXPECT_EQ(first[i].replay_positions, second[i].replay_positions);
  }
  EXPECT_NE(positions(load_epoch(a, 1)), positions(load_epoch(a, 2)));
  Loader other(dataset, nullptr, {.batch_size = 16, .seed = 4});
  EXPECT_NE(positions(load_epoch(other, 1)), positions(first));
}

TEST(Loader, ReplayTakesItsShareOfEveryBatchAndUsesAllOfItsData) {
  Loader loader(quarters(60, 1), quarters(25, 2), {.batch_size = 20, .replay_share = 0.25});
  EXPECT_EQ(loader.steps_per_epoch(), 4);
  EXPECT_EQ(loader.samples_per_epoch(), 80);
  std::multiset<int64_t> replayed;
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    for (const LoadedBatch& b : load_epoch(loader, epoch)) {
      EXPECT_EQ(b.train_positions.size(), 15);
      EXPECT_EQ(b.replay_positions.size(), 5);
      EXPECT_EQ(b.batch.size, 20);
      replayed.insert(b.replay_positions.begin(), b.replay_positions.end());
    }
  }
  for (int64_t i = 0; i < 25; ++i) {
    EXPECT_EQ(replayed.count(i), 4) << i;
  }
}

TEST(Loader, AGivenNumberOfStepsGoesRoundAsOftenAsNeeded) {
  Loader loader(quarters(10, 1), nullptr, {.batch_size = 4, .steps_per_epoch = 5});
  EXPECT_EQ(loader.samples_per_epoch(), 20);
  std::multiset<int64_t> seen;
  for (const LoadedBatch& b : load_epoch(loader, 0)) {
    EXPECT_EQ(b.batch.size, 4);
    seen.insert(b.train_positions.begin(), b.train_positions.end());
  }
  for (int64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(seen.count(i), 2) << i;
  }
}

TEST(Loader, AugmentationChangesSamplesAndNothingElse) {
  const auto dataset = quarters(16, 1);
  Loader plain(dataset, nullptr, {.batch_size = 16});
  Loader noisy(dataset,
               nullptr,
               {.batch_size = 16, .augmentation = {{.name = "noise", .low = 0.1, .high = 0.2}}});
  const auto a = load_epoch(plain, 0);
  const auto b = load_epoch(noisy, 0);
  EXPECT_EQ(a[0].batch.labels, b[0].batch.labels);
  EXPECT_NE(a[0].batch.samples, b[0].batch.samples);
}

TEST(Loader, AnEpochMayBeLeftHalfway) {
  Loader loader(quarters(400, 1), nullptr, {.batch_size = 4});
  loader.start_epoch(0);
  const auto first = loader.next()->train_positions;
  loader.start_epoch(0);
  EXPECT_EQ(loader.next()->train_positions, first);
}

/// Breaks at one sample, as a bad disk would.
class Broken final : public data::Dataset {
 public:
  explicit Broken(data::DatasetPtr base) : base_(std::move(base)) {}

  int64_t size() const override { return base_->size(); }

  const data::Schema& schema() const override { return base_->schema(); }

  int64_t label(int64_t index) const override { return base_->label(index); }

  void read(std::span<const int64_t> indices, data::Batch& batch) const override {
    if (std::ranges::find(indices, 50) != indices.end()) {
      throw core::Error(core::ErrorKind::Io, "sample 50 cannot be read");
    }
    base_->read(indices, batch);
  }

 private:
  data::DatasetPtr base_;
};

TEST(Loader, PassesOnWhatGoesWrongInItsThread) {
  Loader loader(std::make_shared<Broken>(quarters(100, 1)), nullptr, {.batch_size = 10});
  EXPECT_THROW(load_epoch(loader, 0), core::Error);
}

TEST(Loader, RefusesDataThatDoesNotGoTogether) {
  EXPECT_THROW(Loader(quarters(0, 1), nullptr, {}), core::Error);
  EXPECT_THROW(Loader(quarters(8, 1), quarters(0, 1), {}), core::Error);
  data::Schema other = quarters(4, 1)->schema();
  other.class_names.pop_back();
  const auto fewer = data::make_memory_dataset(other, std::vector<std::byte>(64), {0});
  EXPECT_THROW(Loader(quarters(8, 1), fewer, {}), core::Error);
}

}  // namespace

}  // namespace coppice::train
