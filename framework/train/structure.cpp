#include "train/structure.h"

namespace coppice::train {

std::vector<std::unique_ptr<Structure>> make_structures(Network& network,
                                                        const recipe::TrainOptions& options,
                                                        int64_t total_steps) {
  std::vector<std::unique_ptr<Structure>> structures;
  if (options.keep == "zeros") {
    structures.push_back(make_kept_zeros(network));
  }
  if (options.keep == "shared") {
    structures.push_back(make_kept_shared(network));
  }
  if (options.sparsity.any()) {
    structures.push_back(make_growing_sparsity(network, options.sparsity, total_steps));
  }
  return structures;
}

}  // namespace coppice::train
