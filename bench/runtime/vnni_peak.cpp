// Multiply-accumulates of bytes that one core reaches with VNNI from registers: the ceiling of any
// int8 convolution here. Writes no row where the processor has no AVX-512 VNNI.
//   vnni_peak --out FILE
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "vnni.h"

namespace {

constexpr int kBursts = 20'000;

/// What one burst in fifty exceeds: whatever else runs on the core, or on its other thread, only
/// takes away.
double peak() {
  std::vector<double> rates(kBursts);
  std::generate(rates.begin(), rates.end(), coppice::bench::vnni_gmacs);
  const auto best = rates.end() - kBursts / 50;
  std::nth_element(rates.begin(), best, rates.end());
  return *best;
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
  if (coppice::bench::has_vnni()) {
    std::fprintf(file,
                 "[{\"case\": \"VNNI peak, one core\", \"ours\": %.1f, \"unit\": \"GMAC/s\"}]\n",
                 peak());
  } else {
    std::fprintf(file, "[]\n");
  }
  return std::fclose(file) == 0 ? 0 : 4;
}
