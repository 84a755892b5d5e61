#include "compress/class_bias.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::compress {

namespace {

void check_class(int64_t c, int64_t classes) {
  if (c < 0 || c >= classes) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("class {} is none of {}", c, classes));
  }
}

/// A sample that goes over to the class once its logit is raised by more than `gap`.
struct Switch {
  double gap = 0;
  int change = 0;  ///< of the number of errors
};

}  // namespace

double best_logit_shift(std::span<const float> logits,
                        std::span<const int64_t> labels,
                        int64_t classes,
                        int64_t c) {
  check_class(c, classes);
  const auto width = static_cast<size_t>(classes);
  if (logits.size() != labels.size() * width) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("{} logits are not those of {} samples and {} classes",
                                  logits.size(),
                                  labels.size(),
                                  classes));
  }
  if (!std::all_of(logits.begin(), logits.end(), [](float v) { return std::isfinite(v); })) {
    throw core::Error(core::ErrorKind::Numeric, "the logits to shift a class by are not finite");
  }
  std::vector<Switch> switches;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.subspan(i * width, width);
    size_t best = width;
    for (size_t k = 0; k < width; ++k) {
      if (k != static_cast<size_t>(c) && (best == width || row[k] > row[best])) {
        best = k;
      }
    }
    if (best == width) {
      return 0;  // the only class
    }
    const int right_before = labels[i] == static_cast<int64_t>(best) ? 1 : 0;
    const int right_after = labels[i] == c ? 1 : 0;
    switches.push_back(
        {static_cast<double>(row[best]) - row[static_cast<size_t>(c)], right_before - right_after});
  }
  std::sort(switches.begin(), switches.end(), [](const Switch& a, const Switch& b) {
    return a.gap < b.gap;
  });
  // Errors are constant between neighbouring gaps: each stretch is tried at its point nearest to 0
  // that is not an edge.
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  int errors = 0;
  int fewest = std::numeric_limits<int>::max();
  double best_shift = 0;
  for (size_t i = 0; i <= switches.size(); ++i) {
    const double low = i == 0 ? -kInfinity : switches[i - 1].gap;
    const double high = i == switches.size() ? kInfinity : switches[i].gap;
    errors += i == 0 ? 0 : switches[i - 1].change;
    if (!(low < high)) {
      continue;
    }
    const double margin = std::min(1.0, std::isfinite(high - low) ? (high - low) / 2 : 1.0);
    const double shift = low < 0 && high > 0 ? 0 : low >= 0 ? low + margin : high - margin;
    if (errors < fewest || (errors == fewest && std::abs(shift) < std::abs(best_shift))) {
      fewest = errors;
      best_shift = shift;
    }
  }
  return best_shift;
}

graph::Model shift_class_bias(graph::Model model, int64_t c, double shift) {
  const graph::Node& output = model.graph.at(model.graph.outputs.front());
  const bool fits = output.op == graph::Op::Gemm && output.inputs.size() > 2 &&
                    model.is_weight(output.inputs[2]) &&
                    model.weight(output.inputs[2]).dtype() == graph::DType::F32;
  if (!fits) {
    throw core::Error(
        core::ErrorKind::Unsupported,
        fmt::format("the output '{}' is no float Gemm with a bias, whose classes could be shifted",
                    output.name));
  }
  graph::Tensor& bias = model.weights.at(output.inputs[2]);
  check_class(c, bias.size());
  bias = bias.clone();
  bias.data<float>()[static_cast<size_t>(c)] += static_cast<float>(shift);
  return model;
}

}  // namespace coppice::compress
