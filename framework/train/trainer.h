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
class Strategy;
class Teacher;

struct TrainingTask {
  std::string name = "training";  ///< for messages
  data::DatasetPtr train;
  data::DatasetPtr validation;  ///< or null
  data::DatasetPtr replay;      ///< or null
  Teacher* teacher = nullptr;
  std::vector<Strategy*> strategies;
  recipe::TrainOptions options;
  uint64_t seed = 1;
  std::function<void(const jobs::JobProgress&)> on_progress;
  std::function<void(const EpochMetrics&)> on_epoch;        ///< after each epoch
  std::function<void(const TrainingState&)> on_checkpoint;  ///< as options.checkpoint asks
  std::string checkpoint_name;  ///< where on_checkpoint saves to, for messages
};

/// Trains `network` in place and leaves it with the weights to keep: the last ones, their moving
/// average (ema_decay), or those of the best epoch (early_stopping). `resume` continues where it
/// was saved and ends with the bits of an uninterrupted run on as many threads.
///
/// Throws Error{InvalidArgument} for data that does not fit or lacks labels, Error{Numeric} naming
/// step, samples and the last checkpoint when the loss stops being a number, Error{Interrupted}
/// between steps, after on_checkpoint.
std::vector<EpochMetrics> train(Network& network,
                                const TrainingTask& task,
                                const TrainingState* resume = nullptr);

}  // namespace coppice::train
