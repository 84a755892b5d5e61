#include "compress/budget.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "compress/latency_table.h"
#include "compress/quantise.h"
#include "core/error.h"
#include "core/rng.h"
#include "graph/cost.h"
#include "runtime/engine.h"
#include "runtime/profile.h"

namespace coppice::compress {

namespace {

constexpr int64_t kRounds = 5;  // of runs in turns

graph::Tensor random_input(const graph::Model& model) {
  constexpr int64_t kSamples = 4;
  const graph::Node& input = *model.graph.inputs().at(0);
  graph::Shape shape = input.shape;
  shape[0] = kSamples;
  graph::Tensor samples(input.dtype, shape);
  core::Rng rng(1);
  if (input.dtype == graph::DType::U8) {
    for (uint8_t& value : samples.data<uint8_t>()) {
      value = static_cast<uint8_t>(rng.uniform() * 255);
    }
  } else {
    for (float& value : samples.data<float>()) {
      value = static_cast<float>(rng.normal());
    }
  }
  return samples;
}

graph::Model artefact_of(const graph::Model& model, const TargetOptions& target) {
  if (target.artefact != "int8") {
    return model;
  }
  QuantiseOptions options;
  options.calibration = "min_max";
  options.bias_correction = false;
  return quantise(model, random_input(model), options);
}

std::unique_ptr<runtime::Engine> engine_of(const graph::Model& model, const TargetOptions& target) {
  return runtime::build_engine(artefact_of(model, target),
                               {.backend = target.backend, .threads = target.threads});
}

/// Times candidates in turns with the reference.
class LatencyMeter {
 public:
  LatencyMeter(const TargetOptions& target, const graph::Model& reference)
      : target_(target), reference_(engine_of(reference, target)) {
    micros_ = median(*reference_, target.runs);
  }

  double operator()(const graph::Model& candidate) const {
    const auto engine = engine_of(candidate, target_);
    const int64_t runs = std::max<int64_t>(1, target_.runs / kRounds);
    std::vector<double> shares;
    for (int64_t round = 0; round < kRounds; ++round) {
      const double before = median(*reference_, runs);
      shares.push_back(median(*engine, runs) / before);
    }
    std::nth_element(shares.begin(), shares.begin() + kRounds / 2, shares.end());
    return micros_ * shares[kRounds / 2];
  }

 private:
  static double median(runtime::Engine& engine, int64_t runs) {
    return runtime::measure_latency(engine, runs, /*warm_up=*/3).median_us;
  }

  TargetOptions target_;
  std::unique_ptr<runtime::Engine> reference_;
  double micros_ = 0;
};

}  // namespace

Meter make_meter(const TargetOptions& target, const graph::Model& reference) {
  if (target.artefact != "float" && target.artefact != "int8") {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "prune: target.artefact '" + target.artefact + "' is neither float nor int8");
  }
  if (target.metric == "macs") {
    return [](const graph::Model& model) {
      return static_cast<double>(graph::cost(model).macs);
    };
  }
  if (target.metric == "parameters") {
    return [](const graph::Model& model) {
      return static_cast<double>(graph::cost(model).parameters);
    };
  }
  if (target.metric == "bytes") {
    return [target](const graph::Model& model) {
      return static_cast<double>(graph::cost(artefact_of(model, target)).weight_bytes);
    };
  }
  if (target.metric == "peak_memory") {
    return [target](const graph::Model& model) {
      return static_cast<double>(engine_of(model, target)->arena_bytes());
    };
  }
  if (target.metric != "latency") {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "prune: unknown target.metric '" + target.metric + "'");
  }
  if (!target.latency_table.empty()) {
    return [table = load_latency_table(target.latency_table)](const graph::Model& model) {
      return table.predict(model);
    };
  }
  return [meter = std::make_shared<LatencyMeter>(target, reference)](const graph::Model& model) {
    return (*meter)(model);
  };
}

}  // namespace coppice::compress
