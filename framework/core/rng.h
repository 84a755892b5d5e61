#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace coppice::core {

/// The number that SplitMix64 (Steele, Lea and Flood, 2014) gives from `seed` after `index` others,
/// without computing those: for values that several threads draw, each its own.
constexpr uint64_t split_mix64(uint64_t seed, uint64_t index) {
  uint64_t z = seed + (index + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

/// xoshiro256++ (Blackman and Vigna, 2019), seeded by SplitMix64. The same seed gives the same
/// numbers with every compiler and standard library. A value; not thread-safe.
class Rng {
 public:
  using State = std::array<uint64_t, 4>;

  explicit Rng(uint64_t seed);

  /// An independent stream for a purpose: `split("shuffle")`. Does not advance this one.
  Rng split(std::string_view purpose) const;
  Rng split(uint64_t index) const;

  uint64_t next();
  double uniform();  ///< [0, 1)
  double uniform(double low, double high);
  int64_t below(int64_t bound);  ///< [0, bound); REQUIRES: bound > 0
  double normal();               ///< mean 0, standard deviation 1
  bool bernoulli(double probability);

  std::vector<int64_t> permutation(int64_t size);

  template <class T>
  void shuffle(std::span<T> values) {
    for (size_t i = values.size(); i > 1; --i) {
      std::swap(values[i - 1], values[static_cast<size_t>(below(static_cast<int64_t>(i)))]);
    }
  }

  const State& state() const { return state_; }

  void set_state(const State& state) { state_ = state; }

 private:
  State state_;
};

}  // namespace coppice::core
