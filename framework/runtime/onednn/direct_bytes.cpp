#include "runtime/onednn/direct_bytes.h"

#include "runtime/onednn/avx512.h"

namespace coppice::runtime::onednn {

namespace {

constexpr float kLeastScale = 0x1p-80F;
constexpr float kLargestScale = 0x1p80F;

}  // namespace

bool quantises_directly(float scale) {
  return has_avx512() && scale >= kLeastScale && scale <= kLargestScale;
}

#if defined(__x86_64__) && defined(__GNUC__)

namespace {

/// Rounds values / scale to bytes; values are limited first, so that the quotient is finite.
class Quantiser {
 public:
  COPPICE_AVX512_INLINE Quantiser(float scale, bool is_signed) : is_signed_(is_signed) {
    constexpr float kBeyondBytes = 512;
    scale_ = _mm512_set1_ps(scale);
    reciprocal_ = _mm512_set1_ps(1 / scale);
    low_ = _mm512_set1_ps(is_signed ? -kBeyondBytes * scale : 0.0F);
    high_ = _mm512_set1_ps(kBeyondBytes * scale);
  }

  COPPICE_AVX512_INLINE void store(__m512 value, uint16_t lanes, std::byte* out) const {
    const __m512 limited = clamped(value, low_, high_);  // NaN becomes the lower limit
    const __m512i integers = _mm512_cvtps_epi32(quotient(limited, scale_, reciprocal_));
    const __m128i bytes =
        is_signed_ ? _mm512_cvtsepi32_epi8(integers) : _mm512_cvtusepi32_epi8(integers);
    _mm_mask_storeu_epi8(out, lanes, bytes);
  }

 private:
  __m512 scale_;
  __m512 reciprocal_;
  __m512 low_;
  __m512 high_;
  bool is_signed_;
};

COPPICE_AVX512_INLINE __m512 floats_of(const std::byte* bytes, bool is_signed, uint16_t lanes) {
  const __m128i x = _mm_maskz_loadu_epi8(lanes, bytes);
  return _mm512_cvtepi32_ps(is_signed ? _mm512_cvtepi8_epi32(x) : _mm512_cvtepu8_epi32(x));
}

COPPICE_AVX512 void quantise_floats_avx512(
    const float* x, float scale, bool is_signed, int64_t count, std::byte* out) {
  const Quantiser quantiser(scale, is_signed);
  for (int64_t i = 0; i < count; i += 16) {
    const uint16_t lanes = lanes_of_16(count - i);
    quantiser.store(_mm512_maskz_loadu_ps(lanes, x + i), lanes, out + i);
  }
}

COPPICE_AVX512 void add_bytes_avx512(
    const ByteSum& sum, const std::byte* a, const std::byte* b, int64_t count, std::byte* out) {
  const Quantiser quantiser(sum.scale, sum.is_signed);
  const __m512 scale_a = _mm512_set1_ps(sum.sum.scale_a);
  const __m512 scale_b = _mm512_set1_ps(sum.sum.scale_b);
  for (int64_t i = 0; i < count; i += 16) {
    const uint16_t lanes = lanes_of_16(count - i);
    __m512 value = _mm512_add_ps(product_of(floats_of(a + i, sum.a_signed, lanes), scale_a),
                                 product_of(floats_of(b + i, sum.b_signed, lanes), scale_b));
    value = sum.sum.relu ? _mm512_max_ps(value, _mm512_setzero_ps()) : value;
    quantiser.store(value, lanes, out + i);
  }
}

}  // namespace

void quantise_directly(const float* x, float scale, bool is_signed, int64_t count, std::byte* out) {
  quantise_floats_avx512(x, scale, is_signed, count, out);
}

void add_directly(
    const ByteSum& sum, const std::byte* a, const std::byte* b, int64_t count, std::byte* out) {
  add_bytes_avx512(sum, a, b, count, out);
}

#else

void quantise_directly(const float*, float, bool, int64_t, std::byte*) {}

void add_directly(const ByteSum&, const std::byte*, const std::byte*, int64_t, std::byte*) {}

#endif

}  // namespace coppice::runtime::onednn
