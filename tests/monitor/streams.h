#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/rng.h"

namespace coppice::monitor {

struct Segment {
  int length;
  double probability;  ///< of a one
};

inline std::vector<double> bernoulli_stream(const std::vector<Segment>& segments, uint64_t seed) {
  core::Rng rng(seed);
  std::vector<double> stream;
  for (const Segment& segment : segments) {
    for (int i = 0; i < segment.length; ++i) {
      stream.push_back(rng.bernoulli(segment.probability) ? 1 : 0);
    }
  }
  return stream;
}

/// Indices of the values at which the detector signals.
template <class Detector>
std::vector<int64_t> all_signals(Detector& detector, const std::vector<double>& stream) {
  std::vector<int64_t> signals;
  for (size_t i = 0; i < stream.size(); ++i) {
    if (detector.add(stream[i])) {
      signals.push_back(static_cast<int64_t>(i));
    }
  }
  return signals;
}

/// Index of the first, -1 when there is none.
template <class Detector>
int64_t first_signal(Detector detector, const std::vector<double>& stream) {
  const auto signals = all_signals(detector, stream);
  return signals.empty() ? -1 : signals.front();
}

}  // namespace coppice::monitor
