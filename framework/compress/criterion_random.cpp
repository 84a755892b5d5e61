#include "compress/criteria.h"
#include "core/rng.h"

namespace coppice::compress {

std::vector<double> score_random(const graph::Model&, const ChannelGroup& group) {
  core::Rng rng = core::Rng(0).split(group.name);
  std::vector<double> scores(static_cast<size_t>(group.channels));
  for (double& score : scores) {
    score = rng.uniform();
  }
  return scores;
}

}  // namespace coppice::compress
