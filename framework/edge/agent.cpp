#include "edge/agent.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "edge/part_file.h"
#include "link/utf8.h"

namespace coppice::edge {

namespace {

constexpr std::chrono::seconds kAskAgain{60};
constexpr size_t kLongestReason = 500;

std::filesystem::path spool_file(const std::filesystem::path& folder) {
  make_folder(folder);
  return folder / "spool.db";
}

/// An error may quote bytes of what was refused.
std::string printable(std::string text) {
  text.resize(std::min(text.size(), kLongestReason));
  if (!link::is_utf8(text)) {
    std::replace_if(
        text.begin(),
        text.end(),
        [](char c) { return static_cast<unsigned char>(c) >= 0x80; },
        '?');
  }
  return text;
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
      draws_(core::Rng(options_.seed).split("miner").split(options_.device)),
      host_(options_.engine),
      updater_(folder / "release",
               std::move(public_key),
               clock,
               [this](std::span<const std::byte> artefact) { return host_.prepare(artefact); }),
      spool_(spool_file(folder), options_.spool_bytes),
      shipper_({options_.daily_upload_bytes,
                options_.daily_upload_samples,
                options_.batch_samples,
                options_.resend_after_s},
               options_.device,
               spool_,
               clock,
               [this](std::span<const std::byte> bytes) {
                 transport_.publish(link::topic(options_.fleet, options_.device, "samples"), bytes);
               }),
      drift_(monitor::make_drift_detector(options_.drift)) {
  updater_.start();
  for (const char* leaf : {"ack", "release", "chunk"}) {
    transport_.subscribe(link::topic(options_.fleet, options_.device, leaf),
                         [this](const std::string&, std::span<const std::byte> payload) {
                           return receive(payload);
                         });
  }
}

std::vector<Prediction> Agent::infer(const graph::Tensor& samples,
                                     std::span<const int64_t> feedback) {
  if (!host_.loaded() || samples.empty()) {
    return {};
  }
  const int64_t count = samples.dim(0);
  COPPICE_CHECK(static_cast<int64_t>(feedback.size()) == count, "one feedback per sample");
  auto predictions = host_.predict(samples);
  const int64_t first = spool_.reserve_sequences(count);
  const auto sample_bytes = static_cast<size_t>(samples.bytes_size() / count);
  std::vector<Spool::Entry> mined;
  for (size_t i = 0; i < predictions.size(); ++i) {
    const Observation seen{
        predictions[i].label, predictions[i].confidence, std::max<int64_t>(feedback[i], -1)};
    observe(seen);
    const int64_t sequence = first + static_cast<int64_t>(i);
    // From the number, which is never used twice: a restart does not draw the same again.
    core::Rng rng = draws_.split(static_cast<uint64_t>(sequence));
    const double audit_draw = rng.uniform();
    const double hard_draw = rng.uniform();
    const Mined verdict = mine(seen, options_.miner, audit_draw, hard_draw);
    if (verdict.reason == Reason::None) {
      continue;
    }
    const std::byte* raw = samples.bytes() + i * sample_bytes;
    mined.push_back({{.sequence = sequence,
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
  last_sequence_ = first + count - 1;
  if (!mined.empty()) {
    spool_.add(mined);
  }
  return predictions;
}

void Agent::observe(const Observation& seen) {
  ++status_.inferred;
  confidence_sum_ += seen.confidence;
  if (seen.feedback >= 0) {
    const bool wrong = seen.feedback != seen.predicted;
    ++status_.feedback_seen;
    status_.feedback_wrong += wrong ? 1 : 0;
    status_.drift = drift_->add(wrong ? 1 : 0) || status_.drift;
  }
}

void Agent::tick() {
  report_refusal();  // of what was found at the start
  transport_.poll();
  while (ask_for_chunk()) {  // a transport within this process may answer at once
    transport_.poll();
  }
  shipper_.ship();
}

void Agent::report_status() {
  send_status(updater_.counter());
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
    shipper_.acknowledge(ack->ids);
  } else if (const auto* offer = std::get_if<link::ReleaseOffer>(&envelope.body)) {
    if (!take_update([&] { updater_.offer(*offer); }) && !updater_.wanted()) {
      report_status();  // offered what is here: the cloud has missed the report
    }
  } else if (const auto* chunk = std::get_if<link::Chunk>(&envelope.body)) {
    take_update([&] { updater_.chunk(*chunk); });
  }
  return true;
}

/// Whether there was something to report.
bool Agent::take_update(const std::function<void()>& step) {
  const uint64_t before = updater_.counter();
  step();
  const bool installed = updater_.counter() != before;
  if (installed) {
    send_status(before);  // what was counted until now, the release before did
    drift_->reset();
    report_status();
  }
  return report_refusal() || installed;
}

bool Agent::report_refusal() {
  auto refusal = updater_.take_refusal();
  if (!refusal) {
    return false;
  }
  status_.update_error = printable(std::move(refusal->why));
  status_.refused_counter = refusal->counter;
  core::log_warning(fmt::format("{}: {}", options_.device, status_.update_error));
  report_status();
  return true;
}

/// Whether it asked.
bool Agent::ask_for_chunk() {
  const auto wanted = updater_.wanted();
  if (!wanted) {
    asked_.reset();
    return false;
  }
  const core::Timestamp now = clock_.now();
  if (asked_ && asked_->request == *wanted && !is_due(asked_->at, now, kAskAgain)) {
    return false;
  }
  asked_ = Asked{*wanted, now};
  send(*wanted, "chunk_request");
  return true;
}

void Agent::send_status(uint64_t release_counter) {
  link::Status status = std::exchange(status_, {});
  const double confidence_sum = std::exchange(confidence_sum_, 0);
  status.release_counter = release_counter;
  status.spooled = spool_.count();
  status.evicted = spool_.evicted();
  status.mean_confidence =
      status.inferred > 0 ? confidence_sum / static_cast<double>(status.inferred) : 0;
  send(std::move(status), "status");
}

void Agent::send(link::Body body, const std::string& leaf) {
  const std::string id = fmt::format("{}/{}", options_.device, spool_.next_message());
  const link::Envelope envelope{
      id, options_.device, core::to_millis(clock_.now()), std::move(body)};
  transport_.publish(link::topic(options_.fleet, options_.device, leaf), link::encode(envelope));
}

}  // namespace coppice::edge
