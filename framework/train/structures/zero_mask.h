#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace coppice::train {

class Network;
class Optimizer;

/// Which weights of a network's layers are zero, so that they stay so through a step. It follows
/// from the weights alone: one that becomes zero by itself stays zero too, and a checkpoint needs
/// no mask.
class ZeroMask {
 public:
  explicit ZeroMask(const Network& network) : network_(network) {}

  void read();  ///< from the weights
  bool any() const;
  void clear_gradients() const;
  void clear_weights() const;
  /// What the optimiser remembers of weights that are zero: it would move them.
  void clear_moments(Optimizer& optimizer) const;

 private:
  const Network& network_;
  std::vector<at::Tensor> zeros_;  ///< by parameter; undefined for one that is no layer's weight
};

}  // namespace coppice::train
