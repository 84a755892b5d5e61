#include "runtime/onednn/direct_tile.h"

#include <array>
#include <cstring>
#include <utility>

#include "runtime/onednn/avx512.h"

namespace coppice::runtime::onednn {

#if defined(__x86_64__) && defined(__GNUC__)

namespace {

using graph::DType;

/// A word of the input in every lane.
COPPICE_AVX512_INLINE __m512i word_at(const std::byte* x) {
  int32_t word = 0;
  std::memcpy(&word, x, sizeof(word));
  return _mm512_set1_epi32(word);
}

/// sums += words * weights, of floats or of 4 bytes each. In assembler, since GCC 12 copies the
/// sums around the intrinsics.
template <bool kFloats>
COPPICE_AVX512_INLINE void multiply_add(__m512i& sums, __m512i words, __m512i weights) {
  if constexpr (kFloats) {
    asm("vfmadd231ps %2, %1, %0" : "+v"(sums) : "v"(words), "v"(weights));
  } else {
    asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(words), "v"(weights));
  }
}

COPPICE_AVX512_INLINE __m512 scaled_residual(const ProductTables& tables,
                                             const std::byte* residual,
                                             uint16_t lanes) {
  if (tables.residual == DType::F32) {
    return _mm512_maskz_loadu_ps(lanes, residual);
  }
  const __m128i bytes = _mm_maskz_loadu_epi8(lanes, residual);
  const __m512i integers =
      tables.residual == DType::I8 ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes);
  return product_of(_mm512_cvtepi32_ps(integers), _mm512_set1_ps(tables.residual_scale));
}

COPPICE_AVX512_INLINE void store(DType dtype, __m512 value, uint16_t lanes, std::byte* out) {
  if (dtype == DType::F32) {
    _mm512_mask_storeu_ps(out, lanes, value);
    return;
  }
  const __m512i integers = _mm512_cvtps_epi32(value);
  const __m128i bytes =
      dtype == DType::I8 ? _mm512_cvtsepi32_epi8(integers) : _mm512_cvtusepi32_epi8(integers);
  _mm_mask_storeu_epi8(out, lanes, bytes);
}

template <bool kFloats, int kPixels, int kVectors>
COPPICE_AVX512 void compute_tile(const ProductTables& tables, const TileCall& call) {
  __m512i sums[kPixels][kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    const int64_t channel = call.first_channel + v * 16;
    const __m512i start = kFloats
                              ? _mm512_castps_si512(_mm512_loadu_ps(tables.biases.data() + channel))
                              : _mm512_loadu_si512(tables.starts.data() + channel);
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) {
      sums[p][v] = start;
    }
  }
  const std::byte* weight =
      tables.weights.data() + call.first_channel * tables.runs * tables.words * 4;
  for (int64_t run = 0; run < tables.runs; ++run) {
    const std::byte* x = call.x + run * tables.run_step;
    for (int64_t word = 0; word < tables.words; ++word, x += 4, weight += kVectors * 64) {
      __m512i weights[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        weights[v] = _mm512_loadu_si512(weight + v * 64);
      }
#pragma GCC unroll 8
      for (int p = 0; p < kPixels; ++p) {
        const __m512i words = word_at(x + p * tables.pixel_step);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) {
          multiply_add<kFloats>(sums[p][v], words, weights[v]);
        }
      }
    }
  }
  const __m512 low = _mm512_set1_ps(tables.end.low);
  const __m512 high = _mm512_set1_ps(tables.end.high);
  const DType dtype = kFloats ? DType::F32 : tables.end.dtype;
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    const int64_t channel = call.first_channel + v * 16;
    const uint16_t lanes = lanes_of_16(tables.channels - channel);
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) {
      const int64_t place = p * tables.channels + v * 16;
      __m512 value = kFloats ? _mm512_castsi512_ps(sums[p][v])
                             : scaled(sums[p][v],
                                      tables.biases.data() + channel,
                                      tables.multipliers.data() + channel);
      if (call.residual != nullptr) {
        const std::byte* residual = call.residual + place * (tables.residual == DType::F32 ? 4 : 1);
        value = _mm512_add_ps(value, scaled_residual(tables, residual, lanes));
      }
      store(dtype,
            clamped(value, low, high),
            lanes,
            call.out + place * (dtype == DType::F32 ? 4 : 1));
    }
  }
}

using Tile = void (*)(const ProductTables&, const TileCall&);

/// By vectors, of one pixel.
template <bool kFloats, int... kVectors>
constexpr std::array<Tile, sizeof...(kVectors)> tiles_of_one(
    std::integer_sequence<int, kVectors...>) {
  return {&compute_tile<kFloats, 1, kVectors + 1>...};
}

/// By pixels and vectors.
template <bool kFloats, int... kPlaces>
constexpr std::array<Tile, sizeof...(kPlaces)> all_tiles(std::integer_sequence<int, kPlaces...>) {
  return {&compute_tile<kFloats, kPlaces / 4 + 1, kPlaces % 4 + 1>...};
}

template <bool kFloats>
Tile tile_for(int64_t pixels, int64_t vectors) {
  static constexpr auto kOfOne = tiles_of_one<kFloats>(std::make_integer_sequence<int, 8>());
  static constexpr auto kTiles =
      all_tiles<kFloats>(std::make_integer_sequence<int, int{kTilePixels} * 4>());
  return pixels == 1 ? kOfOne[static_cast<size_t>(vectors - 1)]
                     : kTiles[static_cast<size_t>((pixels - 1) * 4 + vectors - 1)];
}

}  // namespace

void run_tile(const ProductTables& tables, const TileCall& call, int64_t pixels, int64_t vectors) {
  const Tile one =
      tables.floats ? tile_for<true>(pixels, vectors) : tile_for<false>(pixels, vectors);
  one(tables, call);
}

#else

void run_tile(const ProductTables&, const TileCall&, int64_t, int64_t) {}

#endif

}  // namespace coppice::runtime::onednn
