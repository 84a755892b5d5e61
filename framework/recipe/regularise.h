#pragma once

#include <cstdint>

#include "core/fields.h"

namespace coppice::recipe {

/// A penalty on the filters that are to be pruned, which grows (GReg-1, Wang et al., ICLR 2021).
struct GrowingOptions {
  double ceiling = 0;       ///< the strength it grows to; 0: off. The paper's is 1
  double share = 0.5;       ///< of every group's channels, those of least L1 norm
  double increment = 1e-4;  ///< of the strength
  int64_t every = 10;       ///< steps from one increment to the next

  void visit(core::Fields& f);
};

/// Penalties on the parameters; each is off at 0.
struct PenaltyOptions {
  double l1 = 0;               ///< x sum of |w|
  double l2 = 0;               ///< x half the sum of w^2
  double decoupled_decay = 0;  ///< weights shrink by learning rate x this, whatever the optimiser
  double group_lasso = 0;      ///< x sum over output channels of |w_channel|_2
  double bn_sparsity = 0;      ///< x sum of |BN scale|
  GrowingOptions growing = {};

  void visit(core::Fields& f);
};

/// Changes of a whole batch, each with a probability; off at 0.
struct MixOptions {
  double mixup_alpha = 0;  ///< both of the Beta distribution's parameters
  double mixup_probability = 1;
  double cutmix_alpha = 0;
  double cutmix_probability = 1;
  double cutout_side = 0;  ///< as a share of the shorter side
  double cutout_probability = 1;

  bool any() const { return mixup_alpha > 0 || cutmix_alpha > 0 || cutout_side > 0; }

  void visit(core::Fields& f);
};

/// Ends a run whose validation loss has stopped falling.
struct EarlyStoppingOptions {
  int64_t patience = 0;  ///< epochs without improvement; 0: off
  double min_delta = 0;  ///< what counts as improvement
  bool restore_best = true;

  void visit(core::Fields& f);
};

}  // namespace coppice::recipe
