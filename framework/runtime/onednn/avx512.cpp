#include "runtime/onednn/avx512.h"

namespace coppice::runtime::onednn {

#if defined(__x86_64__) && defined(__GNUC__)

bool has_avx512() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512vnni");
  return has;
}

#else

bool has_avx512() {
  return false;
}

#endif

}  // namespace coppice::runtime::onednn
