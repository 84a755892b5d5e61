#pragma once

#include <string>
#include <vector>

namespace coppice::report {

struct Ticks {
  std::vector<double> values;  ///< multiples of 1, 2 or 5 times a power of ten, ascending
  double step = 1;
};

/// About `wanted` ticks inside [low, high]; with `whole`, at whole numbers only. REQUIRES: low <=
/// high, both finite.
Ticks nice_ticks(double low, double high, int wanted, bool whole = false);

/// 1, 2 and 5 times the powers of ten whose decimal logarithms lie in [low, high].
Ticks log_ticks(double low, double high);

/// "0.25", "12,000", "1.5M", "1e-06": as many decimals as `step` needs.
std::string format_tick(double value, double step);

}  // namespace coppice::report
