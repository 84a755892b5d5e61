#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace coppice::train {

class Network;
class RankGroup;

/// What a rank knows of a step besides its gradients. Single precision over the wire.
struct StepSums {
  double loss = 0;     ///< of the rank's samples, x their share of the batch
  double correct = 0;  ///< samples
  double stops = 0;    ///< ranks that were asked to stop
};

/// What the ranks exchange in a step, as one sum over a flat buffer: the gradients, BN's running
/// statistics and StepSums.
///
/// Every rank gets the same bits, so that networks which began alike stay alike.
class JointStep {
 public:
  JointStep(Network& network, RankGroup& ranks);

  /// The gradients become their sums over the ranks, running statistics their means weighted by
  /// `share`, the rank's share of the batch. REQUIRES: gradients of the loss x `share`.
  StepSums exchange(double share, const StepSums& own);

 private:
  Network& network_;
  RankGroup& ranks_;
  std::vector<std::string> running_;  ///< means and variances
  at::Tensor buffer_;
};

/// Rank 0's values, on every rank.
void take_first(RankGroup& ranks, std::vector<double>& values);

/// Throws Error{Refused}, on every rank, unless `state` is the same on all.
void check_same(RankGroup& ranks, const std::string& state);

}  // namespace coppice::train
