#include "train/lowering/positions.h"

#include <algorithm>
#include <cmath>

namespace coppice::train {

std::vector<int64_t> padded_positions(graph::PadMode mode,
                                      int64_t size,
                                      int64_t before,
                                      int64_t behind) {
  std::vector<int64_t> positions;
  for (int64_t i = -before; i < size + behind; ++i) {
    const int64_t mirrored = i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
    positions.push_back(mode == graph::PadMode::Reflect ? mirrored
                                                        : std::clamp<int64_t>(i, 0, size - 1));
  }
  return positions;
}

std::vector<int64_t> nearest_positions(int64_t in, int64_t out) {
  std::vector<int64_t> positions;
  for (int64_t i = 0; i < out; ++i) {
    positions.push_back(i * in / out);
  }
  return positions;
}

bool aten_resizes_exactly(int64_t in, int64_t out) {
  if (out == in || out == 2 * in) {
    return true;  // cases of their own there
  }
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  for (int64_t i = 0; i < out; ++i) {
    const auto place = static_cast<int64_t>(std::floor(static_cast<float>(i) * scale));
    if (std::min(place, in - 1) != i * in / out) {
      return false;
    }
  }
  return true;
}

}  // namespace coppice::train
