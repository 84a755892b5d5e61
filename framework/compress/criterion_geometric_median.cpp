#include <cmath>

#include "compress/criteria.h"

namespace coppice::compress {

std::vector<double> score_geometric_median(const graph::Model& model, const ChannelGroup& group) {
  const auto channels = static_cast<size_t>(group.channels);
  // All producers of a channel together are its filter, so squared distances add up over them.
  std::vector<double> squared(channels * channels, 0);
  for (const ChannelSlice& slice : group.slices) {
    std::vector<std::vector<float>> filters;
    for (size_t c = 0; slice.producer && c < channels; ++c) {
      filters.push_back(producing_values(model, slice, static_cast<int64_t>(c)));
    }
    for (size_t a = 0; a < filters.size(); ++a) {
      const std::vector<float>& left = filters[a];
      for (size_t b = 0; b < a; ++b) {
        const std::vector<float>& right = filters[b];
        double sum = 0;
        for (size_t i = 0; i < left.size(); ++i) {
          const double difference = static_cast<double>(left[i]) - static_cast<double>(right[i]);
          sum += difference * difference;
        }
        squared[a * channels + b] += sum;
      }
    }
  }
  std::vector<double> scores(channels, 0);
  for (size_t a = 0; a < channels; ++a) {
    for (size_t b = 0; b < a; ++b) {
      const double distance = std::sqrt(squared[a * channels + b]);
      scores[a] += distance;
      scores[b] += distance;
    }
  }
  return scores;
}

}  // namespace coppice::compress
