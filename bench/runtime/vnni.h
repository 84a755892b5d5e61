#pragma once

#include <chrono>

/// Multiply-accumulates of bytes with VNNI from registers: the ceiling of any int8 convolution
/// here.
namespace coppice::bench {

#if defined(__x86_64__)

constexpr int kAccumulators = 12;  // enough to hide an instruction's latency on two ports
constexpr int kRepeats = 4'000;    // some 8 µs: shorter than a time slice
constexpr int kMacsPerInstruction = 64;

/// In assembler, since compilers put that many accumulators into memory. Their values don't matter.
inline void multiply_accumulate() {
  for (int i = 0; i < kRepeats; ++i) {
    asm volatile(
        "vpdpbusd %%zmm30, %%zmm31, %%zmm0\n\t"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm1\n\t"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm2\n\t"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm3\n\t"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm4\n\t"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm5\n\t"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm6\n\t"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm7\n\t"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm8\n\t"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm9\n\t"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm10\n\t"
        "vpdpbusd %%zmm30, %%zmm31, %%zmm11\n\t"
        :
        :
        : "xmm0",
          "xmm1",
          "xmm2",
          "xmm3",
          "xmm4",
          "xmm5",
          "xmm6",
          "xmm7",
          "xmm8",
          "xmm9",
          "xmm10",
          "xmm11");
  }
  asm volatile("vzeroupper");  // what follows shall not pay for full registers
}

inline bool has_vnni() {
  return __builtin_cpu_supports("avx512vnni") != 0;
}

/// GMAC/s of this core, over some microseconds.
inline double vnni_gmacs() {
  const auto begin = std::chrono::steady_clock::now();
  multiply_accumulate();
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
  return static_cast<double>(kRepeats) * kAccumulators * kMacsPerInstruction / time.count();
}

#else

inline bool has_vnni() {
  return false;
}

inline double vnni_gmacs() {
  return 0;
}

#endif

}  // namespace coppice::bench
