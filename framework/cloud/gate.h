#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/fields.h"
#include "data/dataset.h"
#include "runtime/engine.h"

namespace coppice::cloud {

/// What an artefact must show before it is released.
struct GateOptions {
  double min_accuracy = 0.8;   ///< on the held-out set, of the classes in the training data
  double max_drop_points = 2;  ///< below the champion on the held-out set
  double max_field_drop_points =
      0;  ///< below the champion on held-out field samples, unless it may be chance
  double significance = 0.05;          ///< p value (McNemar) under which a field drop is no chance
  double max_class_drop_points = 15;   ///< of any class's recall on the held-out set
  double max_calibration_error = 0.2;  ///< expected calibration error on the held-out set
  int64_t max_bytes = 1 << 20;
  double max_latency_us = 5000;  ///< median of single inferences with the device engine
  bool judge_latency = true;

  void visit(core::Fields& f);
};

/// One artefact on one set: what the device engine said.
struct Verdicts {
  std::vector<int64_t> predicted;
  std::vector<double> confidence;
};

/// Runs ONNX bytes over a data set with the device engine.
Verdicts run_artefact(std::span<const std::byte> artefact,
                      const data::Dataset& dataset,
                      const runtime::EngineOptions& engine);

struct GateEvidence {
  std::vector<int64_t> truth;  ///< of the held-out set
  Verdicts challenger;
  Verdicts champion;                 ///< empty when there is none yet
  std::vector<int64_t> field_truth;  ///< of held-out field samples; may be empty
  Verdicts field_challenger;
  Verdicts field_champion;
  int64_t classes = 0;
  int64_t bytes = 0;
  double latency_us = 0;
};

struct GateVerdict {
  bool passed = false;
  std::vector<std::string> reasons;       ///< of every check that failed: what, measured, allowed
  std::map<std::string, double> metrics;  ///< "accuracy", "champion_accuracy", "negative_flips", …
};

/// The decision. REQUIRES: equal lengths within each set, at least one held-out sample.
GateVerdict decide_gate(const GateEvidence& evidence, const GateOptions& options);

}  // namespace coppice::cloud
