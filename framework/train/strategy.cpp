#include "train/strategy.h"

#include "train/strategies/l2_sp.h"

namespace coppice::train {

core::Registry<StrategyFactory> built_in_strategies() {
  core::Registry<StrategyFactory> registry("strategy");
  registry.add("l2_sp", make_l2_sp, "penalty on the distance from the starting weights");
  return registry;
}

}  // namespace coppice::train
