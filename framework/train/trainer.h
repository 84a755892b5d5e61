#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "jobs/executor.h"
#include "recipe/recipe.h"
#include "train/optimizer.h"

namespace coppice::train {

class Network;
class Strategy;
class Teacher;

struct EpochMetrics {
  int64_t epoch = 0;  ///< from 1
  double learning_rate = 0;
  double loss = 0;  ///< mean over the epoch's samples, penalties included
  double accuracy = 0;
  double validation_loss = std::numeric_limits<double>::quiet_NaN();
  double validation_accuracy = std::numeric_limits<double>::quiet_NaN();
  double seconds = 0;
};

/// Where a run can go on from: everything after a finished epoch. Order, augmentation and dropout
/// follow from seed and epoch, so that no generator's state is needed.
struct TrainingState {
  graph::Weights weights;
  OptimizerState optimizer;
  std::vector<EpochMetrics> history;
};

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
  std::function<void(const TrainingState&)> on_epoch;  ///< after each epoch
};

/// Trains `network` in place; `resume` continues after its last epoch and ends as an uninterrupted
/// run would.
///
/// Throws Error{InvalidArgument} for data that does not fit or lacks labels, Error{Numeric} naming
/// step and samples when the loss stops being a number, Error{Interrupted} between steps.
std::vector<EpochMetrics> train(Network& network,
                                const TrainingTask& task,
                                const TrainingState* resume = nullptr);

}  // namespace coppice::train
