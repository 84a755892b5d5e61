#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "graph/graph.h"
#include "train/early_stopping.h"
#include "train/optimizer.h"
#include "train/plateau.h"

namespace coppice::train {

struct EpochMetrics {
  int64_t epoch = 0;  ///< from 1
  double learning_rate = 0;
  double loss = 0;      ///< mean over the epoch's samples, penalties included
  double accuracy = 0;  ///< NaN where the task has no right and wrong
  double validation_loss = std::numeric_limits<double>::quiet_NaN();
  double validation_accuracy = std::numeric_limits<double>::quiet_NaN();
  double seconds = 0;
  double input_wait_seconds = 0;  ///< of them: the step had no batch to work on
};

/// Sums over the part of an epoch that is done.
struct EpochSums {
  int64_t steps = 0;
  int64_t samples = 0;
  double loss = 0;     ///< x samples
  double correct = 0;  ///< samples
  double seconds = 0;
  double input_wait_seconds = 0;
};

/// Tensors by the names of a network's weights.
using NamedTensors = std::map<std::string, at::Tensor>;

/// Where a run can go on from: anything between two steps. Order, augmentation, mixing and dropout
/// follow from seed, epoch and step, so that no generator's state is needed. Tensors that a run
/// hands out share its memory.
struct TrainingState {
  graph::Weights weights;
  OptimizerState optimizer;
  std::vector<EpochMetrics> history;  ///< of finished epochs
  EpochSums current;                  ///< of the epoch after them
  PlateauState plateau;
  EarlyStoppingState early_stopping;
  NamedTensors best;     ///< weights of the best epoch, where early stopping restores them
  NamedTensors average;  ///< moving average of the weights, where one is kept
};

}  // namespace coppice::train
