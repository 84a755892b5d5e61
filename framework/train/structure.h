#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "recipe/recipe.h"

namespace coppice::train {

class Network;
class Optimizer;

/// What training must not undo of a compressed network, or brings about step by step.
///
/// Called by each step, in this order; where it uses SAM, fit_gradients twice. A resumed run makes
/// it anew, of the network that the run began with, and goes on with the weights of the checkpoint:
/// what it remembers follows from the first, or from the weights at the beginning of a step.
class Structure {
 public:
  virtual ~Structure() = default;

  /// Before the gradients are computed.
  virtual void begin_step() = 0;
  /// Changes the gradients to those of the structure's free values.
  virtual void fit_gradients() = 0;
  /// After the optimiser's step; `steps` are done then, over all epochs.
  virtual void end_step(Optimizer& optimizer, int64_t steps) = 0;
};

/// keep: zeros. Weights of layers that are zero stay zero.
/// Throws Error{InvalidArgument} when none is.
std::unique_ptr<Structure> make_kept_zeros(const Network& network);

/// keep: shared. Weights of a layer that are equal stay equal, and zeros zero: their gradient is
/// the sum of theirs, as of one parameter (Han et al., ICLR 2016, section 3.3).
/// Throws Error{InvalidArgument} when no layer has equal weights.
std::unique_ptr<Structure> make_kept_shared(const Network& network);

/// sparsity: weights become zero on a schedule, and stay so. `total_steps`: of the run. Throws what
/// compress::sparsify does for layers that are not there or limits that cannot hold.
std::unique_ptr<Structure> make_growing_sparsity(Network& network,
                                                 const recipe::SparsityOptions& options,
                                                 int64_t total_steps);

/// Those that the options ask for.
std::vector<std::unique_ptr<Structure>> make_structures(Network& network,
                                                        const recipe::TrainOptions& options,
                                                        int64_t total_steps);

}  // namespace coppice::train
