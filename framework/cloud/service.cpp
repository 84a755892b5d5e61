#include "cloud/service.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "graph/onnx.h"
#include "runtime/profile.h"

namespace coppice::cloud {

namespace {

constexpr std::chrono::hours kOfferAgain{2};
constexpr int64_t kLargestChunk = 1 << 20;
constexpr int64_t kMessageBlock = 4096;

constexpr const char* kLastRetraining = "last_retraining_ms";
constexpr const char* kLabelledAtLastRetraining = "labelled_at_last_retraining";
constexpr const char* kMessages = "messages";

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
  f.field("wait_for_disk",
          wait_for_disk,
          {.help = "acknowledge samples once they are on disk; off: faster, for simulations, but a "
                   "power cut may lose acknowledged ones"});
}

// NOLINTNEXTLINE(readability-function-size)
Service::Service(ServiceOptions options,
                 const std::filesystem::path& folder,
                 const std::vector<std::string>& devices,
                 release::KeyPair keys,
                 link::Transport& transport,
                 const core::Clock& clock,
                 Labeller& labeller)
    : options_(std::move(options)),
      keys_(std::move(keys)),
      transport_(transport),
      clock_(clock),
      labeller_(labeller),
      registry_(folder / "registry", options_.wait_for_disk),
      samples_(folder / "samples.db", options_.held_out_share, options_.wait_for_disk) {
  if (devices.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("fleet '{}' has no devices", options_.fleet));
  }
  for (const auto& device : devices) {
    link::topic(options_.fleet, device, "status");  // throws for a name that can't be part of one
    devices_[device];
  }
  if (const auto last = registry_.recall(kLastRetraining)) {
    last_retraining_ = core::from_millis(*last);
  }
  labelled_at_last_retraining_ = registry_.recall(kLabelledAtLastRetraining).value_or(0);
  promised_messages_ = registry_.recall(kMessages).value_or(0);
  messages_ = promised_messages_;
  restore();
  for (const char* leaf : {"samples", "status", "chunk_request"}) {
    transport_.subscribe(link::topic(options_.fleet, "+", leaf),
                         [this](const std::string& topic, std::span<const std::byte> payload) {
                           return receive(topic, payload);
                         });
  }
}

void Service::tick() {
  transport_.poll();
  store_arrivals();
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
  state.first_release = first_release_;
  return decide_retraining(state, options_.trigger, clock_.now());
}

void Service::retraining_started() {
  last_retraining_ = clock_.now();
  labelled_at_last_retraining_ = samples_.labelled(false);
  registry_.remember(kLastRetraining, core::to_millis(*last_retraining_));
  registry_.remember(kLabelledAtLastRetraining, labelled_at_last_retraining_);
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

bool Service::receive(const std::string& topic, std::span<const std::byte> payload) {
  link::Envelope envelope;
  try {
    envelope = link::decode(payload);
  } catch (const core::Error& error) {
    core::log_warning(fmt::format("{}: message dropped: {}", topic, error.what()));
    return true;  // it would be as wrong the next time
  }
  const std::string& device = envelope.sender;
  const auto number = message_number(envelope.id, device);
  if (!devices_.contains(device) || !number ||
      !link::topic_matches(link::topic(options_.fleet, device, "+"), topic)) {
    core::log_warning(
        fmt::format("{}: message '{}' of unknown device '{}' dropped", topic, envelope.id, device));
    return true;
  }
  if (auto* batch = std::get_if<link::SampleBatch>(&envelope.body)) {
    // Not durable yet; the device sends it again until it has been acknowledged.
    arrivals_.push_back({envelope.id, {device, std::move(batch->samples)}});
  } else if (const auto* status = std::get_if<link::Status>(&envelope.body)) {
    take_status(device, *number, *status);
  } else if (const auto* request = std::get_if<link::ChunkRequest>(&envelope.body)) {
    send_chunk(device, *request);
  }
  return true;
}

void Service::take_status(const std::string& device, uint64_t number, const link::Status& status) {
  SeenNumbers& seen = statuses_[device];
  if (!seen.take(number)) {
    return;
  }
  DeviceView& view = devices_.at(device);
  if (number == seen.newest()) {  // a late one tells how it was
    view.counter = status.release_counter;
    view.evicted = status.evicted;
  }
  view.inferred += status.inferred;
  view.feedback_seen += status.feedback_seen;
  view.feedback_wrong += status.feedback_wrong;
  view.drift = view.drift || status.drift;
  if (rollout_) {
    RolloutEvidence& evidence = rollout_->seen;
    if (!rollout_->canaries.contains(device)) {
      evidence.control_seen += status.feedback_seen;
      evidence.control_wrong += status.feedback_wrong;
    } else if (status.release_counter == rollout_->counter) {
      evidence.canary_seen += status.feedback_seen;
      evidence.canary_wrong += status.feedback_wrong;
    }
  }
  if (status.update_error.empty()) {
    return;
  }
  view.update_error = status.update_error;
  const bool of_target = view.target != 0 && status.refused_counter == view.target;
  view.refusals += of_target ? 1 : 0;
  if (!of_target) {
    events_.push_back(fmt::format("{} refused an update: {}", device, status.update_error));
  } else if (view.refusals == 1) {
    events_.push_back(
        fmt::format("{} refused release {}: {}", device, view.target, status.update_error));
  }
}

/// Devices get the release that they should run, and nothing else of the registry.
void Service::send_chunk(const std::string& device, const link::ChunkRequest& request) {
  const auto target = registry_.find_release(devices_.at(device).target);
  if (!target || target->manifest.artefact_hash != request.artefact_hash) {
    return;  // it will be offered the right one
  }
  if (!artefacts_.contains(request.artefact_hash)) {
    artefacts_[request.artefact_hash] = registry_.get_object(request.artefact_hash);
  }
  const core::Bytes& artefact = artefacts_.at(request.artefact_hash);
  const auto total = std::ssize(artefact);
  if (request.offset >= total || request.size <= 0) {
    return;
  }
  const auto end = request.offset + std::min({request.size, kLargestChunk, total - request.offset});
  send(device,
       "chunk",
       link::Chunk{request.artefact_hash,
                   request.offset,
                   {artefact.begin() + request.offset, artefact.begin() + end},
                   total});
}

void Service::send(const std::string& device, const std::string& leaf, link::Body body) {
  const link::Envelope envelope{fmt::format("cloud/{}", next_message()),
                                "cloud",
                                core::to_millis(clock_.now()),
                                std::move(body)};
  transport_.publish(link::topic(options_.fleet, device, leaf), link::encode(envelope));
}

/// Promised to the registry in blocks: a restart skips the rest of one, and none is used twice.
int64_t Service::next_message() {
  if (messages_ == promised_messages_) {
    registry_.remember(kMessages, messages_ + kMessageBlock);
    promised_messages_ = messages_ + kMessageBlock;
  }
  return ++messages_;
}

/// All of a tick in one transaction, as the disk takes its time for each; then devices may forget.
void Service::store_arrivals() {
  if (arrivals_.empty()) {
    return;
  }
  const std::vector<Arrival> arrivals = std::exchange(arrivals_, {});
  std::vector<SampleStore::Batch> batches;
  std::map<std::string, link::Ack> acks;
  for (const Arrival& arrival : arrivals) {
    batches.push_back(arrival.batch);
    acks[arrival.batch.device].ids.push_back(arrival.id);
  }
  repeated_samples_ += samples_.store(batches, clock_.now()).repeated;
  for (auto& [device, ack] : acks) {
    send(device, "ack", std::move(ack));
  }
}

void Service::label() {
  std::vector<SampleStore::Label> labels;
  for (const auto& [key, sample] : samples_.unlabelled(options_.labels_per_tick)) {
    labels.push_back({key, labeller_.label(key.device, sample)});
  }
  if (!labels.empty()) {
    samples_.set_labels(labels);
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

}  // namespace coppice::cloud
