#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coppice::runtime {

inline constexpr int64_t kAlignment = 64;  ///< bytes: a cache line and an AVX-512 register

/// A buffer and the steps, first and last inclusive, between which it holds something.
struct Lifetime {
  int64_t bytes = 0;
  int64_t first = 0;
  int64_t last = 0;
};

struct ArenaPlan {
  std::vector<int64_t> offsets;  ///< one per lifetime, multiples of kAlignment
  int64_t bytes = 0;
};

/// Places buffers so that no two that live at the same step overlap: greedy by size (Pisarchyk &
/// Lee, 2020, arXiv:2001.03288).
ArenaPlan plan_arena(std::span<const Lifetime> lifetimes);

}  // namespace coppice::runtime
