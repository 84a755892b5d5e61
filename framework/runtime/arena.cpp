#include "runtime/arena.h"

#include <algorithm>
#include <numeric>

namespace coppice::runtime {

namespace {

int64_t aligned(int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

bool overlap(const Lifetime& a, const Lifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

}  // namespace

ArenaPlan plan_arena(std::span<const Lifetime> lifetimes) {
  std::vector<size_t> by_size(lifetimes.size());
  std::iota(by_size.begin(), by_size.end(), size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(), [&](size_t a, size_t b) {
    return lifetimes[a].bytes > lifetimes[b].bytes;
  });

  ArenaPlan plan{std::vector<int64_t>(lifetimes.size(), 0), 0};
  std::vector<size_t> placed;  // by offset
  for (const size_t i : by_size) {
    const int64_t size = aligned(lifetimes[i].bytes);
    int64_t best = -1;
    int64_t best_gap = 0;
    int64_t end = 0;
    for (const size_t other : placed) {
      if (!overlap(lifetimes[i], lifetimes[other])) {
        continue;
      }
      const int64_t gap = plan.offsets[other] - end;
      if (gap >= size && (best < 0 || gap < best_gap)) {
        best = end;
        best_gap = gap;
      }
      end = std::max(end, plan.offsets[other] + aligned(lifetimes[other].bytes));
    }
    plan.offsets[i] = best < 0 ? end : best;
    plan.bytes = std::max(plan.bytes, plan.offsets[i] + size);
    const auto position = std::find_if(placed.begin(), placed.end(), [&](size_t other) {
      return plan.offsets[other] > plan.offsets[i];
    });
    placed.insert(position, i);
  }
  return plan;
}

}  // namespace coppice::runtime
