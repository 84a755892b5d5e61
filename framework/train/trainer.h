#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "jobs/executor.h"
#include "recipe/recipe.h"
#include "train/training_state.h"

namespace coppice::train {

class Network;
class Objective;
class RankGroup;
class Strategy;
class Teacher;

struct TrainingTask {
  std::string name = "training";  ///< for messages
  data::DatasetPtr train;
  data::DatasetPtr validation;           ///< or null
  data::DatasetPtr replay;               ///< or null
  Teacher* teacher = nullptr;            ///< or none
  const Objective* objective = nullptr;  ///< instead of the task's own
  std::vector<Strategy*> strategies;
  recipe::TrainOptions options;
  uint64_t seed = 1;
  std::function<void(const jobs::JobProgress&)> on_progress;
  std::function<void(const EpochMetrics&)> on_epoch;        ///< after each epoch
  std::function<void(const TrainingState&)> on_checkpoint;  ///< as options.checkpoint asks
  /// Those that train the same network with this process, or null. Of them, rank 0 alone
  /// validates; the callbacks above are called on each rank that has them.
  RankGroup* ranks = nullptr;
  std::string checkpoint_name;  ///< where on_checkpoint saves to, for messages
};

/// Trains `network` in place and leaves it with the weights to keep: the last ones, their moving
/// average (ema_decay), or those of the best epoch (early_stopping). `resume` continues where it
/// was saved and ends with the bits of an uninterrupted run on as many threads.
///
/// With several ranks a batch is shared by them, and gradients are those of the joint batch; BN
/// normalises with the statistics of a rank's share, and its running ones are averaged over the
/// ranks. Dropout, mixup and cutmix draw for each rank by itself. All must begin with the same
/// network, data, options and `resume`, and end with the same bits.
///
/// Throws Error{InvalidArgument} for data that does not fit or lacks labels, Error{Numeric} naming
/// step, samples and the last checkpoint when the loss stops being a number, Error{Interrupted}
/// between steps, after on_checkpoint, Error{Refused} when the ranks don't begin alike, and what
/// RankGroup::sum throws.
std::vector<EpochMetrics> train(Network& network,
                                const TrainingTask& task,
                                const TrainingState* resume = nullptr);

}  // namespace coppice::train
