#include "edge/agent.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"

namespace coppice::edge {

namespace {

int64_t day_of(core::Timestamp now) {
  return std::chrono::duration_cast<std::chrono::days>(now.time_since_epoch()).count();
}

}  // namespace

void AgentOptions::visit(core::Fields& f) {
  f.group("miner", miner, "which inferences are worth sending home");
  f.group("drift", drift, "detector of drift on the device, over feedback");
  f.group("engine", engine, "how the model is run");
  f.field("spool_bytes",
          spool_bytes,
          {.help = "samples kept on disk at most", .unit = "bytes", .min = 0, .max = 1e12});
  f.field("daily_upload_bytes",
          daily_upload_bytes,
          {.help = "messages with samples sent in a UTC day at most, repeats included",
           .unit = "bytes",
           .min = 0,
           .max = 1e12});
  f.field("daily_upload_samples",
          daily_upload_samples,
          {.help = "samples first sent in a UTC day at most", .min = 0, .max = 1e9});
  f.field(
      "batch_samples", batch_samples, {.help = "samples in one message", .min = 1, .max = 10000});
  f.field("resend_after_s",
          resend_after_s,
          {.help = "an unacknowledged message is sent again after this",
           .unit = "s",
           .min = 1,
           .max = 1e9});
}

Agent::Agent(AgentOptions options,
             std::filesystem::path folder,
             core::Bytes public_key,
             link::Transport& transport,
             const core::Clock& clock)
    : options_(std::move(options)),
      transport_(transport),
      clock_(clock),
      rng_(core::Rng(options_.seed).split("miner").split(options_.device)),
      host_(options_.engine),
      updater_(folder / "release",
               std::move(public_key),
               clock,
               [this](std::span<const std::byte> artefact) { host_.load(artefact); }),
      spool_((std::filesystem::create_directories(folder), folder / "spool.db"),
             options_.spool_bytes),
      drift_(monitor::make_drift_detector(options_.drift)) {
  updater_.start();
  day_ = spool_.recall("day");
  bytes_today_ = spool_.recall("bytes_today");
  samples_today_ = spool_.recall("samples_today");
  messages_ = spool_.recall("messages");
  for (const char* leaf : {"ack", "release", "chunk"}) {
    transport_.subscribe(link::topic(options_.fleet, options_.device, leaf),
                         [this](const std::string&, std::span<const std::byte> payload) {
                           return receive(payload);
                         });
  }
}

std::vector<Prediction> Agent::infer(const graph::Tensor& samples,
                                     std::span<const int64_t> feedback) {
  if (!host_.loaded()) {
    return {};
  }
  COPPICE_CHECK(static_cast<int64_t>(feedback.size()) == samples.dim(0), "one feedback per sample");
  const auto predictions = host_.predict(samples);
  const int64_t first = spool_.reserve_sequences(samples.dim(0));
  const auto sample_bytes = static_cast<size_t>(samples.bytes_size() / samples.dim(0));
  std::vector<Spool::Entry> mined;
  for (size_t i = 0; i < predictions.size(); ++i) {
    const Observation seen{predictions[i].label, predictions[i].confidence, feedback[i]};
    if (seen.feedback >= 0) {
      const bool wrong = seen.feedback != seen.predicted;
      ++status_.feedback_seen;
      status_.feedback_wrong += wrong ? 1 : 0;
      status_.drift = drift_->add(wrong ? 1 : 0) || status_.drift;
    }
    confidence_sum_ += seen.confidence;
    const double audit_draw = rng_.uniform();
    const double hard_draw = rng_.uniform();
    const Mined verdict = mine(seen, options_.miner, audit_draw, hard_draw);
    if (verdict.reason == Reason::None) {
      continue;
    }
    const std::byte* raw = samples.bytes() + i * sample_bytes;
    mined.push_back({{.sequence = first + static_cast<int64_t>(i),
                      .payload = core::Bytes(raw, raw + sample_bytes),
                      .predicted = seen.predicted,
                      .confidence = seen.confidence,
                      .feedback = seen.feedback,
                      .reason = std::string(to_string(verdict.reason)),
                      .inclusion_probability = verdict.inclusion_probability,
                      .captured_ms = core::to_millis(clock_.now()),
                      .model_hash = host_.artefact_hash()},
                     verdict.value});
  }
  status_.inferred += samples.dim(0);
  last_sequence_ = first + samples.dim(0) - 1;
  if (!mined.empty()) {
    spool_.add(mined);
    spool_.remember("mined", spool_.recall("mined") + static_cast<int64_t>(mined.size()));
  }
  return predictions;
}

void Agent::tick() {
  transport_.poll();
  // In-process answers arrive at once; a real network answers by a later tick.
  while (const auto request = updater_.wanted()) {
    send(*request, "chunk_request");
    if (transport_.poll() == 0) {
      break;
    }
  }
  if (auto error = updater_.take_error(); !error.empty()) {
    status_.update_error = std::move(error);
    report_status();
  }
  start_day();
  ship();
}

void Agent::report_status() {
  status_.release_counter = updater_.counter();
  status_.spooled = spool_.count();
  status_.evicted = spool_.evicted();
  status_.mean_confidence =
      status_.inferred > 0 ? confidence_sum_ / static_cast<double>(status_.inferred) : 0;
  send(std::exchange(status_, {}), "status");
  confidence_sum_ = 0;
}

bool Agent::receive(std::span<const std::byte> payload) {
  link::Envelope envelope;
  try {
    envelope = link::decode(payload);
  } catch (const core::Error& error) {
    core::log_warning(fmt::format("{}: message dropped: {}", options_.device, error.what()));
    return true;  // it would be as wrong the next time
  }
  if (const auto* ack = std::get_if<link::Ack>(&envelope.body)) {
    spool_.acknowledge(ack->ids);
    for (const auto& id : ack->ids) {
      sent_.erase(id);
    }
  } else if (const auto* offer = std::get_if<link::ReleaseOffer>(&envelope.body)) {
    const uint64_t before = updater_.counter();
    updater_.offer(*offer);
    if (updater_.counter() != before) {
      drift_->reset();
      report_status();
    }
  } else if (const auto* chunk = std::get_if<link::Chunk>(&envelope.body)) {
    const uint64_t before = updater_.counter();
    updater_.chunk(*chunk);
    if (updater_.counter() != before) {
      drift_->reset();
      report_status();
    }
  }
  return true;
}

void Agent::start_day() {
  const int64_t today = day_of(clock_.now());
  if (today != day_) {
    day_ = today;
    bytes_today_ = 0;
    samples_today_ = 0;
    spool_.remember("day", day_);
    spool_.remember("bytes_today", 0);
    spool_.remember("samples_today", 0);
  }
}

void Agent::ship() {
  const auto now = clock_.now();
  for (const std::string& id : spool_.under_way()) {
    const auto last = sent_.find(id);
    if (last == sent_.end() ||
        now - last->second >= std::chrono::seconds(options_.resend_after_s)) {
      if (bytes_today_ >= options_.daily_upload_bytes) {
        return;
      }
      send_samples(id, spool_.contents(id));
    }
  }
  while (spool_.waiting() > 0 && bytes_today_ < options_.daily_upload_bytes &&
         samples_today_ < options_.daily_upload_samples) {
    const std::string id = fmt::format("{}/samples/{}", options_.device, ++messages_);
    spool_.remember("messages", messages_);  // before the id is used: none is ever used twice
    const int64_t count =
        std::min(options_.batch_samples, options_.daily_upload_samples - samples_today_);
    auto samples = spool_.take(id, count, options_.daily_upload_bytes - bytes_today_);
    if (samples.empty()) {
      return;
    }
    samples_today_ += static_cast<int64_t>(samples.size());
    send_samples(id, std::move(samples));
  }
}

void Agent::send_samples(const std::string& id, std::vector<link::Sample> samples) {
  sent_[id] = clock_.now();
  const int64_t before = bytes_today_;
  link::Envelope envelope{
      id, options_.device, core::to_millis(clock_.now()), link::SampleBatch{std::move(samples)}};
  const auto bytes = link::encode(envelope);
  bytes_today_ = before + static_cast<int64_t>(bytes.size());
  spool_.remember("bytes_today", bytes_today_);
  spool_.remember("samples_today", samples_today_);
  transport_.publish(link::topic(options_.fleet, options_.device, "samples"), bytes);
}

void Agent::send(link::Body body, const std::string& leaf) {
  const std::string id = fmt::format("{}/{}/{}", options_.device, leaf, ++messages_);
  spool_.remember("messages", messages_);
  const link::Envelope envelope{
      id, options_.device, core::to_millis(clock_.now()), std::move(body)};
  transport_.publish(link::topic(options_.fleet, options_.device, leaf), link::encode(envelope));
}

}  // namespace coppice::edge
