// Written by make_calibration_reference.py with numpy 1.24.2 and scipy 1.10.1.
// clang-format off
#pragma once

namespace coppice::compress::reference {

/// Bins kept of 2048 by least entropy, in 128 levels (i8) and in 256 (u8).
struct Kept {
  int signed_bins;
  int unsigned_bins;
};

inline constexpr Kept kDecaying{2047, 2048};
inline constexpr Kept kTriangle{2044, 2045};
inline constexpr Kept kOutlier{399, 399};
inline constexpr Kept kTwoHills{1554, 1557};

}  // namespace coppice::compress::reference
