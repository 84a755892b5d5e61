#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace coppice::train {

/// Which rank has stopped giving signs of life; one that never gave any has not come yet. Time is
/// passed in, in seconds of any origin.
class Silence {
 public:
  /// The sign of a rank that left on purpose: it may be silent.
  static constexpr int64_t kLeft = int64_t{1} << 40;

  explicit Silence(int64_t ranks);

  /// `beats`: the rank's heartbeats so far, kLeft added once it has left.
  void hear(int64_t rank, int64_t beats, double now);

  /// All were heard of just now, whatever they did.
  void forgive(double now);

  /// The one that has been silent longest, if for more than `limit` seconds.
  std::optional<int64_t> lost(double now, double limit) const;

 private:
  struct Rank {
    int64_t beats = 0;
    double heard = 0;
  };

  std::vector<Rank> ranks_;
};

}  // namespace coppice::train
