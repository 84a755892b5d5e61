#include "report/figure.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace coppice::report {

namespace {

constexpr std::array<std::string_view, 5> kBetter{"accuracy", "precision", "recall", "f1", "auroc"};
constexpr std::array<std::string_view, 3> kOtherShares{"ece", "rate", "share"};

/// "rmse" of "validation_rmse.height".
std::string_view stem_of(std::string_view name) {
  name = name.substr(0, name.find('.'));
  return name.substr(name.find_last_of('_') + 1);  // npos + 1 is 0
}

template <size_t n>
bool is_one_of(std::string_view word, const std::array<std::string_view, n>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string with_commas(const std::string& digits) {
  std::string result;
  for (size_t i = 0; i < digits.size(); ++i) {
    const size_t left = digits.size() - i;
    const bool first = result.empty() || result == "-";
    result += left % 3 == 0 && !first ? fmt::format(",{}", digits[i]) : std::string(1, digits[i]);
  }
  return result;
}

}  // namespace

bool higher_is_better(std::string_view name) {
  const std::string_view stem = stem_of(name);
  return is_one_of(stem, kBetter) || stem == "r2";
}

bool is_share(std::string_view name) {
  if (name.starts_with("learning_rate")) {
    return false;
  }
  const std::string_view stem = stem_of(name);
  return is_one_of(stem, kBetter) || is_one_of(stem, kOtherShares);
}

std::string format_figure(std::string_view name, double value) {
  if (!std::isfinite(value)) {
    return "–";
  }
  if (is_share(name)) {
    return fmt::format("{:.2f} %", 100 * value);
  }
  if (value == std::floor(value) && std::abs(value) < 1e9) {
    return with_commas(fmt::format("{:.0f}", value));
  }
  return fmt::format("{:.4g}", value);
}

std::string format_difference(std::string_view name, double value) {
  return is_share(name) ? fmt::format("{:+.2f}", 100 * value) : fmt::format("{:+.4g}", value);
}

}  // namespace coppice::report
