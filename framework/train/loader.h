#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/dataset.h"
#include "data/transform.h"

namespace coppice::train {

/// Which part of every batch: the ranks that train together share them.
struct BatchShare {
  int64_t rank = 0;
  int64_t ranks = 1;

  /// Of `count` things in a row, the first one that is ours; that of the next rank ends them.
  int64_t first(int64_t count) const { return count * rank / ranks; }

  int64_t last(int64_t count) const { return count * (rank + 1) / ranks; }
};

struct LoaderOptions {
  int64_t batch_size = 128;     ///< of all ranks together
  int64_t steps_per_epoch = 0;  ///< 0: one pass over the training set
  double replay_share = 0;      ///< of every batch, drawn from the replay data; ignored without any
  std::vector<data::TransformOptions> augmentation = {};
  uint64_t seed = 1;
  BatchShare share = {};
};

/// Samples of one step: those of the training set first, then those of the replay data. Of several
/// ranks each has its share of both.
struct LoadedBatch {
  data::Batch batch;
  int64_t joint_size = 0;                 ///< samples of all ranks
  std::vector<int64_t> train_positions;   ///< in the training set
  std::vector<int64_t> replay_positions;  ///< in the replay data
};

/// Shuffled, augmented batches, prepared ahead on a thread of its own.
///
/// An epoch is one pass over the training set in batches that differ in size by at most one, or a
/// given number of full batches, going round as often as needed. Order and augmentation depend on
/// seed, epoch and step alone, never on threads, on what was loaded before or on how a batch is
/// shared. One thread may use a loader.
class Loader {
 public:
  /// Throws Error{InvalidArgument} for an empty training set, when samples or classes of the two
  /// data sets differ, or when some rank's share of a batch would be empty.
  Loader(data::DatasetPtr train, data::DatasetPtr replay, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  int64_t steps_per_epoch() const;
  int64_t samples_per_epoch() const;  ///< of all ranks, replayed ones included

  /// Begins an epoch with the batch of `first_step`, whatever was being loaded.
  void start_epoch(int64_t epoch, int64_t first_step = 0);
  /// nullptr after the epoch's last batch. Rethrows what went wrong while loading.
  std::unique_ptr<LoadedBatch> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::train
