#include "runtime/onednn/pixel_mean.h"

#include "runtime/onednn/avx512.h"
#include "runtime/onednn/vector_math.h"

namespace coppice::runtime::onednn {

namespace {

constexpr int64_t kMeanVectors = 4;

using LooseLanes __attribute__((vector_size(64), may_alias, aligned(4))) = float;

/// Over kVectors vectors of channels.
template <int64_t kVectors>
COPPICE_LANES_INLINE void mean_of_block(const float* x, int64_t pixels, int64_t step, float* out) {
  LooseLanes sums[kVectors] = {};
  for (int64_t i = 0; i < pixels; ++i, x += step) {
    for (int64_t v = 0; v < kVectors; ++v) {
      sums[v] += *reinterpret_cast<const LooseLanes*>(x + v * kLaneCount);
    }
  }
  for (int64_t v = 0; v < kVectors; ++v) {
    *reinterpret_cast<LooseLanes*>(out + v * kLaneCount) = sums[v] / static_cast<float>(pixels);
  }
}

COPPICE_LANES_INLINE void mean_of_image(const PixelMean& mean, const float* x, float* out) {
  constexpr int64_t kBlock = kMeanVectors * kLaneCount;
  int64_t c = 0;
  for (; c + kBlock <= mean.channels; c += kBlock) {
    mean_of_block<kMeanVectors>(x + c, mean.pixels, mean.channels, out + c);
  }
  for (; c + kLaneCount <= mean.channels; c += kLaneCount) {
    mean_of_block<1>(x + c, mean.pixels, mean.channels, out + c);
  }
  for (; c < mean.channels; ++c) {
    float sum = 0;
    for (int64_t i = 0; i < mean.pixels; ++i) {
      sum += x[i * mean.channels + c];
    }
    out[c] = sum / static_cast<float>(mean.pixels);
  }
}

void mean_anywhere(const PixelMean& mean, const float* x, float* out) {
  mean_of_image(mean, x, out);
}

#if defined(__x86_64__) && defined(__GNUC__)
COPPICE_AVX512 void mean_avx512(const PixelMean& mean, const float* x, float* out) {
  mean_of_image(mean, x, out);
}
#else
void mean_avx512(const PixelMean& mean, const float* x, float* out) {
  mean_of_image(mean, x, out);
}
#endif

}  // namespace

void PixelMean::run(const float* x, float* out) const {
  for (int64_t n = 0; n < batch; ++n) {
    (has_avx512() ? mean_avx512 : mean_anywhere)(
        *this, x + n * pixels * channels, out + n * channels);
  }
}

}  // namespace coppice::runtime::onednn
