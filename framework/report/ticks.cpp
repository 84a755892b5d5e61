#include "report/ticks.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace coppice::report {

namespace {

double nice_step(double raw) {
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double share = raw / power;
  return power * (share <= 1.0001 ? 1 : share <= 2.0001 ? 2 : share <= 5.0001 ? 5 : 10);
}

std::string with_thousands(const std::string& digits) {
  const size_t start = digits.front() == '-' ? 1 : 0;
  const size_t point = std::min(digits.find('.'), digits.size());
  std::string result;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > start && i < point && (point - i) % 3 == 0) {
      result += ',';
    }
    result += digits[i];
  }
  return result;
}

int decimals_of(double step) {
  return std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 9);
}

}  // namespace

Ticks nice_ticks(double low, double high, int wanted, bool whole) {
  double span = high - low;
  if (!(span > 0)) {
    span = std::max(std::abs(low), 1.0);
  }
  Ticks ticks;
  ticks.step = nice_step(span / std::max(wanted, 1));
  if (whole) {
    ticks.step = std::max(ticks.step, 1.0);
  }
  const double slack = 1e-9 * span;
  for (double i = std::ceil((low - slack) / ticks.step); i * ticks.step <= high + slack; ++i) {
    ticks.values.push_back(i == 0 ? 0.0 : i * ticks.step);  // not "-0"
  }
  return ticks;
}

Ticks log_ticks(double low, double high) {
  constexpr double kSlack = 1e-9;
  Ticks ticks;
  for (double power = std::floor(low); power <= high + kSlack; ++power) {
    for (const double times : {1, 2, 5}) {
      const double at = power + std::log10(times);
      if (at >= low - kSlack && at <= high + kSlack) {
        ticks.values.push_back(times * std::pow(10.0, power));
      }
    }
  }
  return ticks;
}

std::string format_tick(double value, double step) {
  const double size = std::max(std::abs(value), step);
  if (size < 1e-4 || size >= 1e12) {
    return value == 0 ? "0" : fmt::format("{:g}", value);
  }
  for (const auto& [unit, suffix] : {std::pair(1e9, "G"), std::pair(1e6, "M")}) {
    if (size >= unit) {
      return value == 0 ? "0"
                        : fmt::format("{:.{}f}{}", value / unit, decimals_of(step / unit), suffix);
    }
  }
  return with_thousands(fmt::format("{:.{}f}", value, decimals_of(step)));
}

}  // namespace coppice::report
