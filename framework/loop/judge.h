#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/files.h"
#include "data/scenario.h"
#include "monitor/confusion.h"
#include "runtime/engine.h"

namespace coppice::loop {

/// How good an artefact is in a phase, on the test images: drifted as the phase drifts, restricted
/// to the classes that occur in it. The field never sees these images and nothing is trained on
/// them. Results are kept by (artefact, phase).
class Judge {
 public:
  Judge(data::DatasetPtr test,
        const data::ScenarioOptions& scenario,
        runtime::EngineOptions engine,
        uint64_t seed);

  const monitor::Confusion& judge(const std::string& artefact_hash,
                                  std::span<const std::byte> artefact,
                                  const data::DriftPhase& phase);

 private:
  data::DatasetPtr test_;
  const data::ScenarioOptions& scenario_;
  runtime::EngineOptions engine_;
  uint64_t seed_;
  std::map<std::string, data::DatasetPtr> views_;  ///< by phase
  std::map<std::pair<std::string, std::string>, monitor::Confusion> known_;
};

/// Confusion of one artefact on one data set, by the device engine.
monitor::Confusion confusion_of(std::span<const std::byte> artefact,
                                const data::Dataset& dataset,
                                const runtime::EngineOptions& engine);

}  // namespace coppice::loop
