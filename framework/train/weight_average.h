#pragma once

#include <cstdint>

#include "train/training_state.h"

namespace coppice::train {

class Network;

/// Copies of a network's real weights, BN's running statistics included.
NamedTensors copy_weights(const Network& network);
/// Copies them back. Throws Error{Corrupt} where `values` are of another network.
void set_weights(Network& network, const NamedTensors& values);

/// Exponential moving average of the weights (Polyak and Juditsky, 1992; Tarvainen and Valpola,
/// NeurIPS 2017), BN's running statistics included.
///
/// After step n (from 0) it keeps min(decay, (1 + n) / (10 + n)) of itself, as TensorFlow's does,
/// so that the untrained weights are soon forgotten.
class WeightAverage {
 public:
  WeightAverage(const Network& network, double decay);

  void update(const Network& network, int64_t step);

  /// Shares memory with the average.
  const NamedTensors& values() const { return values_; }

  NamedTensors copy() const;

  /// Copies the values. Throws Error{Corrupt} for those of another network.
  void restore(const NamedTensors& values);

 private:
  double decay_;
  NamedTensors values_;
};

/// Puts `values` into a network for as long as it lives, then what was there before.
class BorrowedWeights {
 public:
  BorrowedWeights(Network& network, const NamedTensors& values);
  ~BorrowedWeights();
  BorrowedWeights(const BorrowedWeights&) = delete;
  BorrowedWeights& operator=(const BorrowedWeights&) = delete;

 private:
  Network& network_;
  NamedTensors before_;
};

}  // namespace coppice::train
