#include "compress/calibrate.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "compress/calibrations.h"
#include "compress/histogram.h"
#include "compress/tap.h"
#include "core/error.h"

namespace coppice::compress {

namespace {

struct Extremes {
  float least = 0;
  float largest = 0;
};

/// Of each tapped node. 0 belongs to every range, as it must be exact.
std::vector<Extremes> find_extremes(const graph::Model& model,
                                    const std::vector<std::string>& nodes,
                                    const graph::Tensor& samples) {
  std::vector<Extremes> extremes(nodes.size());
  run_taps(model, nodes, samples, [&](std::span<const graph::Tensor> outputs) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      for (const float value : outputs[i].data<float>()) {
        if (!std::isfinite(value)) {
          throw core::Error(
              core::ErrorKind::Numeric,
              "quantise: node '" + nodes[i] +
                  "' gives values that are not finite; check the weights and the samples");
        }
        extremes[i].least = std::min(extremes[i].least, value);
        extremes[i].largest = std::max(extremes[i].largest, value);
      }
    }
  });
  return extremes;
}

/// The range of all values; an activation that is always 0 gets an arbitrary one.
ActivationRange full_range(const Extremes& extremes) {
  const double limit =
      std::max(static_cast<double>(extremes.largest), -static_cast<double>(extremes.least));
  return {.is_signed = extremes.least<0, .limit = limit> 0 ? limit : 1.0};
}

}  // namespace

std::map<std::string, ActivationRange> calibrate(const graph::Model& model,
                                                 const QdqPlan& plan,
                                                 const graph::Tensor& samples,
                                                 const QuantiseOptions& options) {
  std::set<std::string> owners;
  for (const auto& [node, owner] : plan.scale_of) {
    owners.insert(owner);
  }
  const std::vector<std::string> nodes(owners.begin(), owners.end());
  std::map<std::string, ActivationRange> ranges;
  std::vector<Histogram> histograms;
  const std::vector<Extremes> extremes = find_extremes(model, nodes, samples);
  for (size_t i = 0; i < nodes.size(); ++i) {
    ranges[nodes[i]] = full_range(extremes[i]);
    histograms.emplace_back(ranges[nodes[i]].limit);
  }
  if (options.calibration == "min_max") {
    return ranges;
  }
  const Calibration limit_of = calibrations().get(options.calibration);
  run_taps(model, nodes, samples, [&](std::span<const graph::Tensor> outputs) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      histograms[i].add(outputs[i].data<float>());
    }
  });
  for (size_t i = 0; i < nodes.size(); ++i) {
    ActivationRange& range = ranges[nodes[i]];
    const double limit = limit_of(histograms[i], range.levels(), options);
    range.limit = limit > 0 ? limit : range.limit;
  }
  return ranges;
}

}  // namespace coppice::compress
