#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/hash.h"
#include "link/message.h"
#include "link/transport.h"
#include "release/release.h"

namespace coppice::cloud::testing {

/// A device that does what it is told: installs every release it is offered (or refuses it) and
/// reports the feedback that a test gives it.
class FakeDevice {
 public:
  FakeDevice(link::InProcessBroker& broker, std::string device_name, core::Bytes public_key)
      : name(std::move(device_name)),
        transport_(broker.connect(name)),
        public_key_(std::move(public_key)) {
    for (const char* leaf : {"ack", "release", "chunk"}) {
      transport_->subscribe(link::topic("fleet", name, leaf),
                            [this](const std::string&, std::span<const std::byte> payload) {
                              take(link::decode(payload));
                              return true;
                            });
    }
  }

  void tick() { transport_->poll(); }

  /// Of what it runs now.
  void report(int64_t seen, int64_t wrong, bool drift = false) {
    send("status", status(seen, wrong, drift));
  }

  link::Status status(int64_t seen, int64_t wrong, bool drift = false) const {
    link::Status status;
    status.release_counter = counter;
    status.inferred = seen;
    status.feedback_seen = seen;
    status.feedback_wrong = wrong;
    status.drift = drift;
    return status;
  }

  std::string send(const std::string& leaf, link::Body body) {
    const std::string id = name + "/" + std::to_string(++messages);
    send_as(name, id, name, leaf, std::move(body));
    return id;
  }

  /// Under any id, sender and topic.
  void send_as(const std::string& sender,
               const std::string& id,
               const std::string& topic_device,
               const std::string& leaf,
               link::Body body) {
    transport_->publish(link::topic("fleet", topic_device, leaf),
                        link::encode({id, sender, 1, std::move(body)}));
  }

  void send_raw(const std::string& leaf, std::string_view bytes) {
    transport_->publish(link::topic("fleet", name, leaf), core::as_bytes(bytes));
  }

  std::string name;
  uint64_t counter = 0;  ///< of what it runs
  core::Bytes artefact;
  bool refuses = false;
  bool offline = false;  ///< takes offers to no effect
  std::vector<release::Manifest> offered;
  std::vector<link::Chunk> chunks;
  std::vector<std::string> acknowledged;
  std::vector<std::string> cloud_ids;  ///< of all messages received
  int64_t messages = 0;

 private:
  void take(const link::Envelope& envelope) {
    cloud_ids.push_back(envelope.id);
    if (const auto* ack = std::get_if<link::Ack>(&envelope.body)) {
      acknowledged.insert(acknowledged.end(), ack->ids.begin(), ack->ids.end());
    } else if (const auto* offer = std::get_if<link::ReleaseOffer>(&envelope.body)) {
      take_offer(*offer);
    } else if (const auto* chunk = std::get_if<link::Chunk>(&envelope.body)) {
      chunks.push_back(*chunk);
      take_chunk(*chunk);
    }
  }

  void take_offer(const link::ReleaseOffer& offer) {
    const auto manifest = release::manifest_from_json(offer.manifest);
    offered.push_back(manifest);
    if (offline) {
      return;
    }
    if (manifest.counter <= counter) {
      report(0, 0);
      return;
    }
    if (refuses) {
      link::Status refusal = status(0, 0);
      refusal.update_error = "no room";
      refusal.refused_counter = manifest.counter;
      send("status", refusal);
      return;
    }
    offer_ = offer;
    wanted_ = manifest;
    fetched_.clear();
    send("chunk_request", link::ChunkRequest{manifest.artefact_hash, 0, 64});
  }

  void take_chunk(const link::Chunk& chunk) {
    if (chunk.artefact_hash != wanted_.artefact_hash || chunk.offset != std::ssize(fetched_)) {
      return;
    }
    fetched_.insert(fetched_.end(), chunk.data.begin(), chunk.data.end());
    if (std::ssize(fetched_) < wanted_.artefact_bytes) {
      send("chunk_request", link::ChunkRequest{wanted_.artefact_hash, std::ssize(fetched_), 64});
      return;
    }
    release::verify({offer_.manifest, offer_.signature, fetched_}, public_key_, counter, {});
    counter = wanted_.counter;
    artefact = std::exchange(fetched_, {});
    wanted_ = {};
    report(0, 0);
  }

  std::unique_ptr<link::Transport> transport_;
  core::Bytes public_key_;
  link::ReleaseOffer offer_;
  release::Manifest wanted_;
  core::Bytes fetched_;
};

}  // namespace coppice::cloud::testing
