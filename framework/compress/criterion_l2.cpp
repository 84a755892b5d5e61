#include <cmath>

#include "compress/criteria.h"

namespace coppice::compress {

std::vector<double> score_l2(const graph::Model& model, const ChannelGroup& group) {
  std::vector<double> scores(static_cast<size_t>(group.channels), 0);
  for (const ChannelSlice& slice : group.slices) {
    for (int64_t c = 0; slice.producer && c < group.channels; ++c) {
      for (const double value : producing_values(model, slice, c)) {
        scores[static_cast<size_t>(c)] += value * value;
      }
    }
  }
  for (double& score : scores) {
    score = std::sqrt(score);
  }
  return scores;
}

}  // namespace coppice::compress
