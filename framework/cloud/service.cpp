#include "cloud/service.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "graph/onnx.h"
#include "runtime/profile.h"

namespace coppice::cloud {

namespace {

constexpr std::chrono::hours kOfferAgain{2};

double hours_between(core::Timestamp from, core::Timestamp to) {
  return std::chrono::duration<double, std::ratio<3600>>(to - from).count();
}

std::string leaf_of(const std::string& topic) {
  return topic.substr(topic.rfind('/') + 1);
}

}  // namespace

void ServiceOptions::visit(core::Fields& f) {
  f.group("trigger", trigger, "when to retrain");
  f.group("gate", gate, "what an artefact must show before it is released");
  f.group("rollout", rollout, "how a release reaches the fleet");
  f.group("engine", engine, "how the gate runs an artefact");
  f.field("held_out_share",
          held_out_share,
          {.help = "share of field samples that judge releases and are never trained on",
           .min = 0,
           .max = 0.9});
  f.field("labels_per_tick",
          labels_per_tick,
          {.help = "samples labelled in a tick at most", .min = 0, .max = 1e9});
  f.field("release_days",
          release_days,
          {.help = "a release expires after this; 0: never", .unit = "days", .min = 0, .max = 1e5});
}

Service::Service(ServiceOptions options,
                 std::filesystem::path folder,
                 std::vector<std::string> devices,
                 release::KeyPair keys,
                 link::Transport& transport,
                 const core::Clock& clock,
                 Labeller& labeller)
    : options_(std::move(options)),
      keys_(std::move(keys)),
      transport_(transport),
      clock_(clock),
      labeller_(labeller),
      registry_(folder / "registry"),
      samples_(folder / "samples.db", options_.held_out_share) {
  for (const auto& device : devices) {
    devices_[device];
  }
  for (const char* leaf : {"samples", "status", "chunk_request"}) {
    transport_.subscribe(link::topic(options_.fleet, "+", leaf),
                         [this](const std::string& topic, std::span<const std::byte> payload) {
                           return receive(topic, payload);
                         });
  }
}

void Service::tick() {
  transport_.poll();
  label();
  advance_rollout();
  offer_targets();
}

TriggerReason Service::retraining_due() const {
  if (champion_ == 0 || rollout_) {
    return TriggerReason::None;
  }
  TriggerState state;
  state.new_labelled = samples_.labelled(false) - labelled_at_last_retraining_;
  state.drifting_devices = std::count_if(
      devices_.begin(), devices_.end(), [](const auto& entry) { return entry.second.drift; });
  state.last_retraining = last_retraining_;
  return decide_retraining(state, options_.trigger, clock_.now());
}

void Service::retraining_started() {
  last_retraining_ = clock_.now();
  labelled_at_last_retraining_ = samples_.labelled(false);
  for (auto& [name, view] : devices_) {
    view.drift = false;
  }
}

GateVerdict Service::judge(std::span<const std::byte> artefact,
                           const data::Dataset& held_out,
                           core::Timestamp field_since) {
  GateEvidence evidence;
  evidence.classes = static_cast<int64_t>(held_out.schema().class_names.size());
  evidence.bytes = static_cast<int64_t>(artefact.size());
  evidence.truth = data::read_all(held_out).labels;
  evidence.challenger = run_artefact(artefact, held_out, options_.engine);
  const auto engine = runtime::build_engine(graph::from_onnx(artefact), options_.engine);
  evidence.latency_us = runtime::measure_latency(*engine).median_us;
  if (champion_ != 0) {
    const core::Bytes champion = registry_.load_release(champion_).artefact;
    const auto field = samples_.dataset(held_out.schema(), true, field_since);
    evidence.champion = run_artefact(champion, held_out, options_.engine);
    evidence.field_truth = data::read_all(*field).labels;
    evidence.field_champion = run_artefact(champion, *field, options_.engine);
    evidence.field_challenger = run_artefact(artefact, *field, options_.engine);
  }
  return decide_gate(evidence, options_.gate);
}

uint64_t Service::publish(core::Bytes artefact,
                          const std::string& reason,
                          const std::map<std::string, double>& metrics) {
  const bool first = champion_ == 0;
  const uint64_t counter =
      sign_and_record(std::move(artefact), reason, metrics, first ? "field" : "canary");
  if (first) {
    champion_ = counter;
    for (auto& [name, view] : devices_) {
      view.target = counter;
    }
    events_.push_back(fmt::format("release {} to all devices", counter));
  } else {
    const auto wanted = static_cast<size_t>(
        std::llround(options_.rollout.canary_share * static_cast<double>(devices_.size())));
    Rollout rollout{counter, {}, clock_.now(), devices_};
    for (auto& [name, view] : devices_) {
      // Other devices each time, so that no customer is always the first to try.
      const bool turn =
          (std::distance(devices_.begin(), devices_.find(name)) + static_cast<ptrdiff_t>(counter)) %
              static_cast<ptrdiff_t>(devices_.size()) <
          static_cast<ptrdiff_t>(std::max<size_t>(wanted, 1));
      if (turn) {
        view.target = counter;
        view.offered_at = {};
        view.refusals = 0;
        rollout.canaries.push_back(name);
      }
    }
    events_.push_back(fmt::format("release {} to {} canaries", counter, rollout.canaries.size()));
    rollout_ = std::move(rollout);
  }
  offer_targets();
  return counter;
}

bool Service::receive(const std::string& topic, std::span<const std::byte> payload) {
  link::Envelope envelope;
  try {
    envelope = link::decode(payload);
  } catch (const core::Error& error) {
    core::log_warning(fmt::format("{}: message dropped: {}", topic, error.what()));
    return true;  // it would be as wrong the next time
  }
  const std::string& device = envelope.sender;
  if (!devices_.contains(device) || topic != link::topic(options_.fleet, device, leaf_of(topic))) {
    core::log_warning(fmt::format("{}: message of unknown device '{}' dropped", topic, device));
    return true;
  }
  if (const auto* batch = std::get_if<link::SampleBatch>(&envelope.body)) {
    repeated_samples_ += samples_.store(device, batch->samples, clock_.now()).repeated;
    send(device, "ack", link::Ack{{envelope.id}});
  } else if (const auto* status = std::get_if<link::Status>(&envelope.body)) {
    take_status(device, *status);
  } else if (const auto* request = std::get_if<link::ChunkRequest>(&envelope.body)) {
    const core::Bytes object = registry_.get_object(request->artefact_hash);
    const auto total = static_cast<int64_t>(object.size());
    if (request->offset < 0 || request->offset >= total || request->size <= 0) {
      return true;
    }
    const auto end = request->offset + std::min(request->size, total - request->offset);
    send(device,
         "chunk",
         link::Chunk{request->artefact_hash,
                     request->offset,
                     {object.begin() + request->offset, object.begin() + end},
                     total});
  }
  return true;
}

void Service::take_status(const std::string& device, const link::Status& status) {
  DeviceView& view = devices_.at(device);
  const bool arrived = view.counter < view.target && status.release_counter == view.target;
  view.counter = status.release_counter;
  view.inferred += status.inferred;
  view.feedback_seen += status.feedback_seen;
  view.feedback_wrong += status.feedback_wrong;
  view.evicted = status.evicted;
  view.drift = view.drift || status.drift;
  if (arrived && rollout_) {
    rollout_->before[device] = view;  // what it saw until now, it saw with the release before
  }
  if (!status.update_error.empty()) {
    view.update_error = status.update_error;
    events_.push_back(
        fmt::format("{} refused release {}: {}", device, view.target, status.update_error));
    ++view.refusals;
  }
}

void Service::send(const std::string& device, const std::string& leaf, link::Body body) {
  const link::Envelope envelope{fmt::format("cloud/{}", ++messages_),
                                "cloud",
                                core::to_millis(clock_.now()),
                                std::move(body)};
  transport_.publish(link::topic(options_.fleet, device, leaf), link::encode(envelope));
}

void Service::label() {
  for (const auto& [key, sample] : samples_.unlabelled(options_.labels_per_tick)) {
    const int64_t label = labeller_.label(key.device, sample);
    if (label >= 0) {
      samples_.set_label(key, label);
    }
  }
}

void Service::offer_targets() {
  for (auto& [name, view] : devices_) {
    const bool due =
        view.offered_at == core::Timestamp{} || clock_.now() - view.offered_at >= kOfferAgain;
    if (view.counter < view.target && due) {
      const auto record = registry_.find_release(view.target);
      COPPICE_CHECK(record.has_value(), "a target release is recorded before it is offered");
      view.offered_at = clock_.now();
      send(name, "release", link::ReleaseOffer{record->manifest_bytes, record->signature});
    }
  }
}

RolloutEvidence Service::evidence() const {
  RolloutEvidence evidence;
  evidence.hours = hours_between(rollout_->since, clock_.now());
  for (const auto& [name, view] : devices_) {
    const DeviceView& before = rollout_->before.at(name);
    const int64_t seen = view.feedback_seen - before.feedback_seen;
    const int64_t wrong = view.feedback_wrong - before.feedback_wrong;
    const bool canary = std::find(rollout_->canaries.begin(), rollout_->canaries.end(), name) !=
                        rollout_->canaries.end();
    (canary ? evidence.canary_seen : evidence.control_seen) += seen;
    (canary ? evidence.canary_wrong : evidence.control_wrong) += wrong;
    evidence.refusals += canary ? view.refusals : 0;
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
      registry_.set_release_state(champion_, "replaced");
      registry_.set_release_state(rollout_->counter, "field");
      champion_ = rollout_->counter;
      for (auto& [name, view] : devices_) {
        view.target = champion_;
        view.offered_at = {};
        view.refusals = 0;
      }
      events_.push_back(fmt::format("release {} promoted to all devices", champion_));
      rollout_.reset();
  }
}

void Service::roll_back() {
  const uint64_t failed = rollout_->counter;
  const auto before = registry_.load_release(champion_);
  registry_.set_release_state(failed, "rolled_back");
  registry_.set_release_state(champion_, "replaced");
  champion_ = sign_and_record(
      before.artefact, "rollback", release::manifest_from_json(before.manifest).metrics, "field");
  for (auto& [name, view] : devices_) {
    view.target = champion_;
    view.offered_at = {};
    view.refusals = 0;
  }
  events_.push_back(fmt::format(
      "release {} rolled back: its predecessor goes out again as {}", failed, champion_));
  rollout_.reset();
}

uint64_t Service::sign_and_record(core::Bytes artefact,
                                  const std::string& reason,
                                  const std::map<std::string, double>& metrics,
                                  const std::string& state) {
  release::Manifest manifest;
  manifest.name = options_.model_name;
  manifest.counter = registry_.next_counter();
  manifest.created_ms = core::to_millis(clock_.now());
  manifest.reason = reason;
  manifest.metrics = metrics;
  if (options_.release_days > 0) {
    manifest.expires_ms = manifest.created_ms + std::llround(options_.release_days * 86400e3);
  }
  if (champion_ != 0) {
    manifest.parent_hash = registry_.find_release(champion_)->manifest.artefact_hash;
  }
  registry_.record_release(release::sign(manifest, std::move(artefact), keys_), state);
  return manifest.counter;
}

}  // namespace coppice::cloud
