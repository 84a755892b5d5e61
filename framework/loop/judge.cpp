#include "loop/judge.h"

#include "cloud/gate.h"
#include "data/split.h"

namespace coppice::loop {

monitor::Confusion confusion_of(std::span<const std::byte> artefact,
                                const data::Dataset& dataset,
                                const runtime::EngineOptions& engine) {
  monitor::Confusion result(static_cast<int64_t>(dataset.schema().class_names.size()));
  const auto verdicts = cloud::run_artefact(artefact, dataset, engine);
  for (int64_t i = 0; i < dataset.size(); ++i) {
    result.add(dataset.label(i), verdicts.predicted[static_cast<size_t>(i)]);
  }
  return result;
}

Judge::Judge(data::DatasetPtr test,
             const data::ScenarioOptions& scenario,
             runtime::EngineOptions engine,
             uint64_t seed)
    : test_(std::move(test)), scenario_(scenario), engine_(std::move(engine)), seed_(seed) {}

const monitor::Confusion& Judge::judge(const std::string& artefact_hash,
                                       std::span<const std::byte> artefact,
                                       const data::DriftPhase& phase) {
  const auto key = std::make_pair(artefact_hash, phase.name);
  if (const auto it = known_.find(key); it != known_.end()) {
    return it->second;
  }
  if (!views_.contains(phase.name)) {
    const auto classes = data::classes_of_phase(scenario_, phase, test_->schema());
    const auto restricted = data::make_subset(test_, data::with_classes(*test_, classes));
    const auto drifted = phase.transforms.empty()
                             ? restricted
                             : data::make_transformed(restricted, phase.transforms, seed_);
    const data::Batch batch = data::read_all(*drifted);  // drawn once, judged many times
    views_[phase.name] = data::make_memory_dataset(test_->schema(), batch.samples, batch.labels);
  }
  return known_.emplace(key, confusion_of(artefact, *views_.at(phase.name), engine_)).first->second;
}

}  // namespace coppice::loop
