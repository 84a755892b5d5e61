#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <ATen/core/ATen_fwd.h>

#include "core/registry.h"
#include "data/dataset.h"

namespace coppice::train {

class Network;

/// One stretch of training on one data set.
struct Experience {
  Network& network;
  const data::Dataset& train;
  const data::Dataset* replay = nullptr;  ///< earlier data, where the job has some
  uint64_t seed = 1;
};

/// One step of it. `loss` may be replaced in before_step: "step.loss = step.loss + penalty".
/// Of several ranks each sees its share of the batch; after the step `loss` is that of all of it.
struct TrainingStep {
  Network& network;
  int64_t number = 0;  ///< from 0, over all epochs
  const data::Batch& batch;
  const at::Tensor& labels;  ///< [n], i64; -1 where the task has none
  const at::Tensor& logits;  ///< the first output: of a classifier [n, classes]
  at::Tensor& loss;          ///< scalar
};

/// A continual-learning method, as hooks around a training run.
///
/// Hooks must not depend on the order of strategies. A resumed run calls experience_begins again,
/// with the network at the weights it started from; whatever a strategy remembers must follow from
/// that call and not from later steps.
class Strategy {
 public:
  virtual ~Strategy() = default;

  virtual std::string_view name() const = 0;

  virtual void experience_begins(const Experience& /*experience*/) {}

  /// After the loss is computed, before its gradient is; in both passes where the run uses SAM.
  virtual void before_step(TrainingStep& /*step*/) {}

  /// After the parameters have changed.
  virtual void after_step(const TrainingStep& /*step*/) {}

  virtual void experience_ends(const Experience& /*experience*/) {}
};

using StrategyFactory = std::function<std::unique_ptr<Strategy>()>;

/// Lists the strategies that come with Coppice.
core::Registry<StrategyFactory> built_in_strategies();

}  // namespace coppice::train
