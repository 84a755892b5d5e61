// The part of the service that brings releases to the fleet.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "cloud/service.h"
#include "core/error.h"

namespace coppice::cloud {

namespace {

double hours_between(core::Timestamp from, core::Timestamp to) {
  return std::chrono::duration<double, std::ratio<3600>>(to - from).count();
}

}  // namespace

/// What the registry tells after a restart, or after a kill between two of its changes.
void Service::restore() {
  uint64_t canary = 0;
  for (const ReleaseRecord& record : registry_.releases()) {
    const uint64_t counter = record.manifest.counter;
    if (!first_release_) {
      first_release_ = core::from_millis(record.manifest.created_ms);
    }
    if (record.state == "field") {
      champion_ = counter;
    } else if (record.state == "canary") {
      canary = counter;
    }
  }
  if (champion_ == 0) {
    return;
  }
  for (const auto& [name, view] : devices_) {
    set_target(name, champion_);
  }
  if (canary > champion_) {
    const auto record = registry_.find_release(canary);
    rollout_ = begin_rollout(canary, core::from_millis(record->manifest.created_ms));
    for (const std::string& name : rollout_->canaries) {
      set_target(name, canary);
    }
  }
}

uint64_t Service::publish(core::Bytes artefact,
                          const std::string& reason,
                          const std::map<std::string, double>& metrics) {
  if (rollout_) {
    throw core::Error(
        core::ErrorKind::Refused,
        fmt::format("release {} is still being rolled out; publish after its promotion or rollback",
                    rollout_->counter));
  }
  const bool first = champion_ == 0;
  const uint64_t counter =
      sign_and_record(std::move(artefact), reason, metrics, first ? "field" : "canary", champion_);
  if (first) {
    champion_ = counter;
    first_release_ = clock_.now();
    for (const auto& [name, view] : devices_) {
      set_target(name, counter);
    }
    events_.push_back(fmt::format("release {} to all devices", counter));
  } else {
    rollout_ = begin_rollout(counter, clock_.now());
    for (const std::string& name : rollout_->canaries) {
      set_target(name, counter);
    }
    events_.push_back(fmt::format("release {} to {} canaries", counter, rollout_->canaries.size()));
  }
  offer_targets();
  return counter;
}

/// Other devices each time, so that no customer is always the first to try; the same ones for the
/// same counter.
Service::Rollout Service::begin_rollout(uint64_t counter, core::Timestamp since) const {
  const size_t fleet = devices_.size();
  const auto share =
      static_cast<size_t>(std::llround(options_.rollout.canary_share * static_cast<double>(fleet)));
  const size_t wanted = std::clamp<size_t>(share, 1, fleet);
  Rollout rollout{counter, {}, since, {}};
  size_t position = 0;
  for (const auto& [name, view] : devices_) {
    if ((position++ + counter) % fleet < wanted) {
      rollout.canaries.insert(name);
    }
  }
  return rollout;
}

void Service::set_target(const std::string& device, uint64_t counter) {
  DeviceView& view = devices_.at(device);
  view.target = counter;
  view.offered_at = {};
  view.refusals = 0;
  artefacts_.clear();  // read again where they are still asked for
}

RolloutEvidence Service::evidence() const {
  RolloutEvidence evidence = rollout_->seen;
  evidence.hours = hours_between(rollout_->since, clock_.now());
  for (const std::string& name : rollout_->canaries) {
    const DeviceView& view = devices_.at(name);
    evidence.refusals += view.refusals;
    evidence.installed += view.counter == rollout_->counter ? 1 : 0;
  }
  return evidence;
}

void Service::advance_rollout() {
  if (!rollout_) {
    return;
  }
  switch (decide_rollout(evidence(), options_.rollout)) {
    case RolloutAction::Wait:
      return;
    case RolloutAction::RollBack:
      roll_back();
      return;
    case RolloutAction::Promote:
      promote();
      return;
  }
}

void Service::promote() {
  registry_.set_release_state(rollout_->counter,
                              "field");  // first: there is a champion at any time
  registry_.set_release_state(champion_, "replaced");
  champion_ = rollout_->counter;
  rollout_.reset();
  for (const auto& [name, view] : devices_) {
    set_target(name, champion_);
  }
  events_.push_back(fmt::format("release {} promoted to all devices", champion_));
}

void Service::roll_back() {
  const uint64_t failed = rollout_->counter;
  const uint64_t before = champion_;
  release::Release content = registry_.load_release(before);
  champion_ = sign_and_record(std::move(content.artefact),
                              "rollback",
                              release::manifest_from_json(content.manifest).metrics,
                              "field",
                              failed);
  registry_.set_release_state(failed, "rolled_back");
  registry_.set_release_state(before, "replaced");
  rollout_.reset();
  for (const auto& [name, view] : devices_) {
    set_target(name, champion_);
  }
  events_.push_back(fmt::format(
      "release {} rolled back: its predecessor goes out again as {}", failed, champion_));
}

uint64_t Service::sign_and_record(core::Bytes artefact,
                                  const std::string& reason,
                                  const std::map<std::string, double>& metrics,
                                  const std::string& state,
                                  uint64_t replaced) {
  release::Manifest manifest;
  manifest.name = options_.model_name;
  manifest.counter = registry_.next_counter();
  manifest.created_ms = core::to_millis(clock_.now());
  manifest.reason = reason;
  manifest.metrics = metrics;
  if (options_.release_days > 0) {
    manifest.expires_ms = manifest.created_ms + std::llround(options_.release_days * 86400e3);
  }
  if (replaced != 0) {
    manifest.parent_hash = registry_.find_release(replaced)->manifest.artefact_hash;
  }
  registry_.record_release(release::sign(manifest, std::move(artefact), keys_), state);
  return manifest.counter;
}

}  // namespace coppice::cloud
