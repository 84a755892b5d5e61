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

struct ResidualOperand {
  const std::byte* values;
  DType dtype;
  float scale;
  int64_t size;  ///< of a value
};

COPPICE_AVX512_INLINE __m512 with_residual(__m512 value,
                                           const ResidualOperand& residual,
                                           int64_t place,
                                           uint16_t lanes) {
  const std::byte* values = residual.values + place * residual.size;
  if (residual.dtype == DType::F32) {
    return _mm512_add_ps(value, _mm512_maskz_loadu_ps(lanes, values));
  }
  const __m128i bytes = _mm_maskz_loadu_epi8(lanes, values);
  const __m512i integers =
      residual.dtype == DType::I8 ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes);
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(integers), _mm512_set1_ps(residual.scale), value);
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
  // Three pixels share a pointer: an address reaches the next two by its index.
  constexpr int kShared = 3;
  constexpr int kPointers = (kPixels + kShared - 1) / kShared;
  constexpr bool kStreams = kPixels == 1;  // the weights come from afar, once
  constexpr int64_t kAhead = 1024;         // bytes
  const int64_t step = tables.pixel_step;
  __m512i sums[kPixels][kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    const int64_t channel = call.first_channel + v * 16;
    const __m512i start = kFloats
                              ? _mm512_castps_si512(_mm512_loadu_ps(tables.biases.data() + channel))
                              : _mm512_loadu_si512(tables.starts.data() + channel);
#pragma GCC unroll 12
    for (int p = 0; p < kPixels; ++p) {
      sums[p][v] = start;
    }
  }
  const std::byte* weight = call.weights;
  for (int64_t run = 0; run < tables.runs; ++run) {
    const std::byte* x[kPointers];
#pragma GCC unroll 4
    for (int i = 0; i < kPointers; ++i) {
      x[i] = call.x + run * tables.run_step + i * kShared * step;
    }
    for (int64_t word = 0; word < tables.words; ++word, weight += kVectors * 64) {
      __m512i weights[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        weights[v] = _mm512_load_si512(weight + v * 64);
        if constexpr (kStreams) {
          _mm_prefetch(reinterpret_cast<const char*>(weight + v * 64 + kAhead), _MM_HINT_T0);
        }
      }
#pragma GCC unroll 12
      for (int p = 0; p < kPixels; ++p) {
        const __m512i words = word_at(x[p / kShared] + p % kShared * step);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) {
          multiply_add<kFloats>(sums[p][v], words, weights[v]);
        }
      }
#pragma GCC unroll 4
      for (int i = 0; i < kPointers; ++i) {
        x[i] += 4;
      }
    }
  }
  // Copies: a store to bytes may change anything that is read through a pointer.
  const __m512 low = _mm512_set1_ps(tables.end.low);
  const __m512 high = _mm512_set1_ps(tables.end.high);
  const int64_t channels = tables.channels;
  const DType dtype = kFloats ? DType::F32 : tables.end.dtype;
  const int64_t size = dtype == DType::F32 ? 4 : 1;
  const ResidualOperand residual{call.residual,
                                 kFloats ? DType::F32 : tables.residual,
                                 tables.residual_scale,
                                 kFloats || tables.residual == DType::F32 ? 4 : 1};
  std::byte* out = call.out;
  int64_t channel = call.first_channel;
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v, channel += 16) {
    const uint16_t lanes = lanes_of_16(channels - channel);
    const float* biases = tables.biases.data() + channel;
    const float* multipliers = kFloats ? biases : tables.multipliers.data() + channel;
#pragma GCC unroll 12
    for (int p = 0; p < kPixels; ++p) {
      const int64_t place = p * channels + v * 16;
      __m512 value =
          kFloats ? _mm512_castsi512_ps(sums[p][v]) : scaled(sums[p][v], biases, multipliers);
      if (residual.values != nullptr) {
        value = with_residual(value, residual, place, lanes);
      }
      store(dtype, clamped(value, low, high), lanes, out + place * size);
    }
  }
}

template <bool kFloats, int kVectors, int... kPixels>
constexpr std::array<Tile, sizeof...(kPixels)> tiles_of(std::integer_sequence<int, kPixels...>) {
  return {&compute_tile<kFloats, kPixels + 1, kVectors>...};
}

template <bool kFloats, int kVectors>
Tile tile_of(int64_t pixels) {
  static constexpr auto kTiles =
      tiles_of<kFloats, kVectors>(std::make_integer_sequence<int, int{most_pixels(kVectors)}>());
  return kTiles[static_cast<size_t>(pixels - 1)];
}

template <bool kFloats, int... kVectors>
Tile choose_tile(int64_t pixels, int64_t vectors, std::integer_sequence<int, kVectors...>) {
  static constexpr std::array kByVectors{&tile_of<kFloats, kVectors + 1>...};
  return kByVectors[static_cast<size_t>(vectors - 1)](pixels);
}

}  // namespace

Tile tile_for(bool floats, int64_t pixels, int64_t vectors) {
  constexpr auto kVectors = std::make_integer_sequence<int, 8>();
  return floats ? choose_tile<true>(pixels, vectors, kVectors)
                : choose_tile<false>(pixels, vectors, kVectors);
}

#else

Tile tile_for(bool, int64_t, int64_t) {
  return nullptr;
}

#endif

}  // namespace coppice::runtime::onednn
