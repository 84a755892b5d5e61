#include "train/penalty.h"

namespace coppice::train {

const std::vector<PenaltyEntry>& penalties() {
  static const std::vector<PenaltyEntry> kPenalties{
      {"l1", &recipe::PenaltyOptions::l1, make_l1},
      {"l2", &recipe::PenaltyOptions::l2, make_l2},
      {"group_lasso", &recipe::PenaltyOptions::group_lasso, make_group_lasso},
      {"bn_sparsity", &recipe::PenaltyOptions::bn_sparsity, make_bn_sparsity}};
  return kPenalties;
}

std::vector<std::unique_ptr<Penalty>> make_penalties(const Network& network,
                                                     const recipe::PenaltyOptions& options) {
  std::vector<std::unique_ptr<Penalty>> made;
  for (const PenaltyEntry& entry : penalties()) {
    if (options.*entry.strength > 0) {
      made.push_back(entry.make(network, options.*entry.strength));
    }
  }
  if (options.growing.ceiling > 0) {
    made.push_back(make_growing(network, options.growing));
  }
  return made;
}

}  // namespace coppice::train
