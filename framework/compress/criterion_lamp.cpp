#include "compress/criteria.h"

namespace coppice::compress {

std::vector<double> score_lamp(const graph::Model& model, const ChannelGroup& group) {
  std::vector<double> scores = score_l2(model, group);
  std::vector<int64_t> order = weakest_first(scores);
  double not_weaker = 0;
  for (auto c = order.rbegin(); c != order.rend(); ++c) {
    double& score = scores[static_cast<size_t>(*c)];
    const double squared = score * score;
    not_weaker += squared;
    score = not_weaker > 0 ? squared / not_weaker : 0;
  }
  return scores;
}

}  // namespace coppice::compress
