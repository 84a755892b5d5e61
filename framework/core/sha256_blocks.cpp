#include "core/sha256_blocks.h"

#include <array>

#include "core/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace coppice::core {

namespace {

/// The first 32 bits of the fractions of the cube roots of the first 64 primes.
[[maybe_unused]] alignas(16) constexpr std::array<uint32_t, 64> kRoundConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr size_t kBlockBytes = 64;
constexpr size_t kGroups = 16;  // of four rounds, and of four words of the message schedule

}  // namespace

#if defined(__x86_64__)

bool has_sha256_instructions() {
  static const bool has = [] {
    uint32_t a = 0;
    uint32_t b = 0;
    uint32_t c = 0;
    uint32_t d = 0;
    const bool has_sse41 = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSE4_1) != 0;
    return has_sse41 && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
  }();
  return has;
}

__attribute__((target("sha,sse4.1"))) void sha256_blocks(uint32_t* words,
                                                         const std::byte* blocks,
                                                         size_t count) {
  const auto load = [](const void* from) __attribute__((target("sha,sse4.1"), always_inline)) {
    return _mm_loadu_si128(static_cast<const __m128i*>(from));
  };
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  // The instructions want the words a b e f and c d g h, each from the highest lane down.
  const __m128i badc = _mm_shuffle_epi32(load(words), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(load(words + 4), 0x1B);
  __m128i abef = _mm_alignr_epi8(badc, hgfe, 8);
  __m128i cdgh = _mm_blend_epi16(hgfe, badc, 0xF0);
  for (; count > 0; --count, blocks += kBlockBytes) {
    const __m128i abef_before = abef;
    const __m128i cdgh_before = cdgh;
    __m128i schedule[4] = {};  // NOLINT(modernize-avoid-c-arrays): GCC refuses it in a template
#pragma GCC unroll 16
    for (size_t group = 0; group < kGroups; ++group) {
      __m128i& now = schedule[group % 4];  // the words of 16 rounds before
      if (group < 4) {
        now = _mm_shuffle_epi8(load(blocks + 16 * group), big_endian);
      } else {
        const __m128i last = schedule[(group + 3) % 4];
        const __m128i nine_before = _mm_alignr_epi8(last, schedule[(group + 2) % 4], 4);
        now = _mm_sha256msg1_epu32(now, schedule[(group + 1) % 4]);
        now = _mm_sha256msg2_epu32(_mm_add_epi32(now, nine_before), last);
      }
      const __m128i sum = _mm_add_epi32(now, load(&kRoundConstants[4 * group]));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words + 4), _mm_alignr_epi8(dchg, feba, 8));
}

#elif defined(__aarch64__) && defined(__linux__)

bool has_sha256_instructions() {
  static const bool has = (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0;
  return has;
}

__attribute__((target("+crypto"))) void sha256_blocks(uint32_t* words,
                                                      const std::byte* blocks,
                                                      size_t count) {
  uint32x4_t abcd = vld1q_u32(words);
  uint32x4_t efgh = vld1q_u32(words + 4);
  for (; count > 0; --count, blocks += kBlockBytes) {
    const uint32x4_t abcd_before = abcd;
    const uint32x4_t efgh_before = efgh;
    uint32x4_t schedule[4] = {};  // NOLINT(modernize-avoid-c-arrays)
#pragma GCC unroll 16
    for (size_t group = 0; group < kGroups; ++group) {
      uint32x4_t& now = schedule[group % 4];  // the words of 16 rounds before
      if (group < 4) {
        const auto* bytes = reinterpret_cast<const uint8_t*>(blocks) + 16 * group;
        now = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(bytes)));
      } else {
        now = vsha256su0q_u32(now, schedule[(group + 1) % 4]);
        now = vsha256su1q_u32(now, schedule[(group + 2) % 4], schedule[(group + 3) % 4]);
      }
      const uint32x4_t sum = vaddq_u32(now, vld1q_u32(&kRoundConstants[4 * group]));
      const uint32x4_t abcd_now = abcd;
      abcd = vsha256hq_u32(abcd, efgh, sum);
      efgh = vsha256h2q_u32(efgh, abcd_now, sum);
    }
    abcd = vaddq_u32(abcd, abcd_before);
    efgh = vaddq_u32(efgh, efgh_before);
  }
  vst1q_u32(words, abcd);
  vst1q_u32(words + 4, efgh);
}

#else

bool has_sha256_instructions() {
  return false;
}

void sha256_blocks(uint32_t* /*words*/, const std::byte* /*blocks*/, size_t /*count*/) {
  COPPICE_CHECK(false, "this processor has no instructions for SHA-256");
}

#endif

}  // namespace coppice::core
