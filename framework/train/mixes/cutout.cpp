#include <cmath>

#include "train/mix.h"
#include "train/mixes/samples.h"

namespace coppice::train {

namespace {

/// Mean of each channel over the batch.
template <class Values>
std::vector<double> channel_means(const Values& values, const Planes& p, int64_t samples) {
  std::vector<double> means(static_cast<size_t>(p.channels), 0);
  const int64_t plane = p.height * p.width;
  for (int64_t k = 0; k < samples * p.channels; ++k) {
    double sum = 0;
    for (int64_t i = 0; i < plane; ++i) {
      sum += static_cast<double>(values[static_cast<size_t>(k * plane + i)]);
    }
    means[static_cast<size_t>(k % p.channels)] += sum / static_cast<double>(plane * samples);
  }
  return means;
}

}  // namespace

/// DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout"
/// (2017): a square of every sample, centred anywhere, gets the batch's mean, which is the paper's
/// zero after normalisation.
void cutout(data::Batch& batch, const data::Schema& schema, double side, core::Rng& rng) {
  const Planes p = planes_of(schema);
  const int64_t shorter = p.height == 1 ? p.width : std::min(p.height, p.width);
  const int64_t length = std::llround(side * static_cast<double>(shorter));
  const int64_t height = p.height == 1 ? 1 : length;
  with_values(batch, schema, [&](auto values) {
    using T = typename decltype(values)::value_type;
    const std::vector<double> means = channel_means(values, p, batch.size);
    for (int64_t i = 0; i < batch.size; ++i) {
      const int64_t y = rng.below(p.height);
      const int64_t x = rng.below(p.width);
      const Box box = box_about(p, y, x, height, length);
      for (int64_t c = 0; c < p.channels; ++c) {
        const T mean = to_element<T>(means[static_cast<size_t>(c)]);
        for (int64_t row = box.top; row < box.bottom; ++row) {
          T* start = values.data() + ((i * p.channels + c) * p.height + row) * p.width;
          std::fill(start + box.left, start + box.right, mean);
        }
      }
    }
  });
}

}  // namespace coppice::train
