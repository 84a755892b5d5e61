#include "train/ranks/silence.h"

namespace coppice::train {

Silence::Silence(int64_t ranks) : ranks_(static_cast<size_t>(ranks)) {}

void Silence::hear(int64_t rank, int64_t beats, double now) {
  Rank& known = ranks_[static_cast<size_t>(rank)];
  if (beats != known.beats) {
    known = {beats, now};
  }
}

void Silence::forgive(double now) {
  for (Rank& rank : ranks_) {
    rank.heard = now;
  }
}

std::optional<int64_t> Silence::lost(double now, double limit) const {
  std::optional<int64_t> longest;
  double since = now - limit;
  for (size_t rank = 0; rank < ranks_.size(); ++rank) {
    const auto& [beats, heard] = ranks_[rank];
    if (beats > 0 && beats < kLeft && heard < since) {
      longest = static_cast<int64_t>(rank);
      since = heard;
    }
  }
  return longest;
}

}  // namespace coppice::train
