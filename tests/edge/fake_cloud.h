#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/rng.h"
#include "link/message.h"
#include "link/transport.h"
#include "release/release.h"

namespace coppice::edge::testing {

/// The other end of the line, as simple as it can be: takes samples once, acknowledges, hands out
/// one release. Of `deaf_share` of the messages with samples it hears nothing.
class FakeCloud {
 public:
  explicit FakeCloud(link::InProcessBroker& broker) : transport_(broker.connect("cloud")) {
    for (const char* leaf : {"samples", "status", "chunk_request"}) {
      transport_->subscribe(link::topic("fleet", "+", leaf),
                            [this](const std::string&, std::span<const std::byte> payload) {
                              take(link::decode(payload));
                              return true;
                            });
    }
  }

  void tick() { transport_->poll(); }

  void offer(const release::Release& release) {
    artefact_ = release.artefact;
    artefact_hash_ = release::manifest_from_json(release.manifest).artefact_hash;
    send("d", "release", link::ReleaseOffer{release.manifest, release.signature});
  }

  void publish(const std::string& device, const std::string& leaf, std::string_view bytes) {
    transport_->publish(link::topic("fleet", device, leaf), core::as_bytes(bytes));
  }

  /// Sums over all reports; the last of the others.
  link::Status total() const {
    link::Status sum;
    for (const link::Status& s : statuses) {
      sum.inferred += s.inferred;
      sum.feedback_seen += s.feedback_seen;
      sum.feedback_wrong += s.feedback_wrong;
      sum.drift = sum.drift || s.drift;
      sum.release_counter = s.release_counter;
    }
    return sum;
  }

  double deaf_share = 0;
  std::map<int64_t, link::Sample> samples;  ///< of device "d", by sequence
  int64_t repeated = 0;
  int64_t chunk_requests = 0;
  std::vector<link::Status> statuses;

 private:
  void take(const link::Envelope& envelope) {
    if (const auto* batch = std::get_if<link::SampleBatch>(&envelope.body)) {
      if (rng_.bernoulli(deaf_share)) {
        return;
      }
      for (const link::Sample& sample : batch->samples) {
        repeated += samples.try_emplace(sample.sequence, sample).second ? 0 : 1;
      }
      send(envelope.sender, "ack", link::Ack{{envelope.id}});
    } else if (const auto* status = std::get_if<link::Status>(&envelope.body)) {
      if (seen_.insert(envelope.id).second) {
        statuses.push_back(*status);
      }
    } else if (const auto* request = std::get_if<link::ChunkRequest>(&envelope.body)) {
      ++chunk_requests;
      if (request->artefact_hash != artefact_hash_) {
        return;
      }
      const auto total = std::ssize(artefact_);
      const auto end = std::min<int64_t>(total, request->offset + request->size);
      send(envelope.sender,
           "chunk",
           link::Chunk{artefact_hash_,
                       request->offset,
                       {artefact_.begin() + request->offset, artefact_.begin() + end},
                       total});
    }
  }

  void send(const std::string& device, const std::string& leaf, link::Body body) {
    const link::Envelope envelope{
        "cloud/" + std::to_string(++messages_), "cloud", 1, std::move(body)};
    transport_->publish(link::topic("fleet", device, leaf), link::encode(envelope));
  }

  std::unique_ptr<link::Transport> transport_;
  core::Rng rng_{5};
  core::Bytes artefact_;
  std::string artefact_hash_;
  std::set<std::string> seen_;
  int64_t messages_ = 0;
};

/// Passes everything on and notes what samples cost, by UTC day.
class Meter final : public link::Transport {
 public:
  struct Day {
    int64_t bytes = 0;
    int64_t new_samples = 0;
  };

  Meter(std::unique_ptr<link::Transport> inner,
        const core::Clock& clock,
        std::map<int64_t, Day>& days,
        std::set<std::string>& ids)
      : inner_(std::move(inner)), clock_(clock), days_(days), ids_(ids) {}

  void publish(const std::string& topic, std::span<const std::byte> payload) override {
    if (topic.ends_with("/samples")) {
      const auto envelope = link::decode(payload);
      Day& day =
          days_[std::chrono::floor<std::chrono::days>(clock_.now()).time_since_epoch().count()];
      day.bytes += std::ssize(payload);
      if (ids_.insert(envelope.id).second) {
        day.new_samples += std::ssize(std::get<link::SampleBatch>(envelope.body).samples);
      }
    }
    inner_->publish(topic, payload);
  }

  void subscribe(const std::string& filter, Handler handler) override {
    inner_->subscribe(filter, std::move(handler));
  }

  int64_t poll() override { return inner_->poll(); }

 private:
  std::unique_ptr<link::Transport> inner_;
  const core::Clock& clock_;
  std::map<int64_t, Day>& days_;
  std::set<std::string>& ids_;
};

}  // namespace coppice::edge::testing
