#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "recipe/regularise.h"

namespace coppice::train {

class Network;

/// A term of the objective that depends on the parameters alone, with its gradient in closed form.
class Penalty {
 public:
  virtual ~Penalty() = default;

  /// Adds its gradient to those that the parameters have (a parameter without one is left out of
  /// both) and returns its value. At a kink the gradient is 0. `step` counts from 0 over all
  /// epochs; whatever a penalty remembers must follow from the network it was made for and from the
  /// step.
  virtual double add_gradient(int64_t step) const = 0;
};

using PenaltyFactory = std::unique_ptr<Penalty> (*)(const Network&, double strength);

/// x sum of |w| over weights.
std::unique_ptr<Penalty> make_l1(const Network& network, double strength);
/// x half the sum of w^2 over weights.
std::unique_ptr<Penalty> make_l2(const Network& network, double strength);
/// x sum over output channels c of |w_c|_2 (Wen et al., NeurIPS 2016: structured sparsity learning,
/// filter-wise), of every convolution and linear layer but those that make the network's outputs.
std::unique_ptr<Penalty> make_group_lasso(const Network& network, double strength);
/// x sum of |scale| over BatchNorm's (Liu et al., ICCV 2017: network slimming). Throws
/// Error{InvalidArgument} for a network without one.
std::unique_ptr<Penalty> make_bn_sparsity(const Network& network, double strength);

/// Growing regularisation (GReg-1, Wang et al., Neural Pruning via Growing Regularization, ICLR
/// 2021): half the sum of w^2 of the filters that are to be cut, x a strength that grows by
/// `increment` every `every` steps up to `ceiling`, so that they are near zero before they go. They
/// are chosen by their L1 norm when training begins: `share` of every group of channels
/// (compress::find_groups). Throws Error{InvalidArgument} where that is no filter at all.
std::unique_ptr<Penalty> make_growing(const Network& network,
                                      const recipe::GrowingOptions& options);

struct PenaltyEntry {
  std::string_view name;
  double recipe::PenaltyOptions::*strength;
  PenaltyFactory make;
};

/// Every penalty that one strength says all of.
const std::vector<PenaltyEntry>& penalties();

/// Those whose strength or ceiling is not 0. They refer to the network's parameters.
std::vector<std::unique_ptr<Penalty>> make_penalties(const Network& network,
                                                     const recipe::PenaltyOptions& options);

}  // namespace coppice::train
