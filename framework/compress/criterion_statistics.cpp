#include "compress/criteria.h"

namespace coppice::compress {

std::vector<double> score_mean_activation(const ChannelStatistics& statistics) {
  return statistics.mean_activation;
}

std::vector<double> score_apoz(const ChannelStatistics& statistics) {
  return statistics.nonzero_share;
}

std::vector<double> score_taylor(const ChannelStatistics& statistics) {
  return statistics.gate_gradient;
}

std::vector<double> score_fisher(const ChannelStatistics& statistics) {
  std::vector<double> scores = statistics.gate_fisher;
  for (double& score : scores) {
    score /= 2;
  }
  return scores;
}

}  // namespace coppice::compress
