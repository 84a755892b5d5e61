#include <cmath>

#include "train/mix.h"
#include "train/mixes/beta.h"
#include "train/mixes/samples.h"

namespace coppice::train {

namespace {

/// Covers 1 - share of the plane, but for what its borders cut off.
Box draw_box(const Planes& p, double share, core::Rng& rng) {
  const double side = p.height == 1 ? 1 - share : std::sqrt(1 - share);
  const auto height =
      p.height == 1 ? 1 : static_cast<int64_t>(side * static_cast<double>(p.height));
  const auto width = static_cast<int64_t>(side * static_cast<double>(p.width));
  const int64_t y = rng.below(p.height);
  const int64_t x = rng.below(p.width);
  return box_about(p, y, x, height, width);
}

}  // namespace

/// Yun et al., "CutMix" (ICCV 2019): the same box of every sample comes from its partner, and the
/// share is what is left of the sample itself.
Mixing cutmix(data::Batch& batch, const data::Schema& schema, double alpha, core::Rng& rng) {
  const Planes p = planes_of(schema);
  Mixing mixing{rng.permutation(batch.size), 1};
  const Box box = draw_box(p, draw_beta(alpha, rng), rng);
  mixing.share = 1 - static_cast<double>(box.area()) / static_cast<double>(p.height * p.width);
  const std::vector<std::byte> before = batch.samples;
  const int64_t plane = p.height * p.width;
  with_values(batch, schema, [&](auto values) {
    using T = typename decltype(values)::value_type;
    const T* all = reinterpret_cast<const T*>(before.data());
    for (int64_t i = 0; i < batch.size; ++i) {
      const int64_t j = mixing.partner[static_cast<size_t>(i)];
      for (int64_t c = 0; c < p.channels; ++c) {
        for (int64_t y = box.top; y < box.bottom; ++y) {
          const int64_t row = c * plane + y * p.width;
          const T* from = all + j * p.channels * plane + row;
          T* to = values.data() + i * p.channels * plane + row;
          std::copy(from + box.left, from + box.right, to + box.left);
        }
      }
    }
  });
  return mixing;
}

}  // namespace coppice::train
