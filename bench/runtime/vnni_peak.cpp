// Multiply-accumulates of bytes that one core reaches with VNNI from registers: the ceiling of any
// int8 convolution here. Writes no row where the processor has no AVX-512 VNNI.
//   vnni_peak --out FILE
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {

constexpr int kRepeats = 50;

#if defined(__x86_64__)

constexpr int kAccumulators = 12;  // enough to hide an instruction's latency on two ports
constexpr int kTurns = 200'000;
constexpr int kMacsPerInstruction = 64;

/// In assembler, since compilers put that many accumulators into memory. Their values don't matter.
void multiply_accumulate() {
  for (int turn = 0; turn < kTurns; ++turn) {
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
}

bool has_vnni() {
  return __builtin_cpu_supports("avx512vnni") != 0;
}

double gmacs() {
  const auto begin = std::chrono::steady_clock::now();
  multiply_accumulate();
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
  return static_cast<double>(kTurns) * kAccumulators * kMacsPerInstruction / time.count();
}

#else

bool has_vnni() {
  return false;
}

double gmacs() {
  return 0;
}

#endif

/// The median, since the clock rate moves.
double peak() {
  std::vector<double> rates(kRepeats);
  std::generate(rates.begin(), rates.end(), gmacs);
  std::nth_element(rates.begin(), rates.begin() + kRepeats / 2, rates.end());
  return rates[kRepeats / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || std::strcmp(argv[1], "--out") != 0) {
    std::fprintf(stderr, "usage: vnni_peak --out FILE\n");
    return 2;
  }
  std::FILE* file = std::fopen(argv[2], "w");
  if (file == nullptr) {
    std::fprintf(stderr, "error: can't write %s\n", argv[2]);
    return 4;
  }
  if (has_vnni()) {
    std::fprintf(file,
                 "[{\"case\": \"VNNI peak, one core\", \"ours\": %.1f, \"unit\": \"GMAC/s\"}]\n",
                 peak());
  } else {
    std::fprintf(file, "[]\n");
  }
  return std::fclose(file) == 0 ? 0 : 4;
}
