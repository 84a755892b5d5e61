#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/files.h"

namespace coppice::link {

/// A hard or audited sample, as the sensor gave it.
struct Sample {
  int64_t sequence = 0;               ///< of the device, from 1: (device, sequence) names a sample for ever
  core::Bytes payload;                ///< raw input of the model; compressed on the wire only
  int64_t predicted = -1;
  double confidence = 0;              ///< 0…1
  int64_t feedback = -1;              ///< true class if the device learned it, else -1
  std::string reason;                 ///< "misclassified", "uncertain", "audit"
  double inclusion_probability = 1;   ///< that the miner's rule takes a sample like this: in (0, 1]
  int64_t captured_ms = 0;
  std::string model_hash;             ///< artefact that made the prediction
  bool operator==(const Sample&) const = default;
};

struct SampleBatch {
  std::vector<Sample> samples;
  bool operator==(const SampleBatch&) const = default;
};

struct Status {
  uint64_t release_counter = 0;
  int64_t inferred = 0;               ///< since the last status, like the counts below
  int64_t feedback_seen = 0;
  int64_t feedback_wrong = 0;
  double mean_confidence = 0;
  int64_t spooled = 0;                ///< samples waiting now
  int64_t evicted = 0;
  std::string update_error;           ///< why the last offered release was refused; empty when it wasn't
  bool drift = false;
  bool operator==(const Status&) const = default;
};

struct Ack {
  std::vector<std::string> ids;       ///< envelopes whose effect is durable
  bool operator==(const Ack&) const = default;
};

struct ReleaseOffer {
  core::Bytes manifest;
  core::Bytes signature;
  bool operator==(const ReleaseOffer&) const = default;
};

struct ChunkRequest {
  std::string artefact_hash;
  int64_t offset = 0;
  int64_t size = 0;
  bool operator==(const ChunkRequest&) const = default;
};

struct Chunk {
  std::string artefact_hash;
  int64_t offset = 0;
  core::Bytes data;
  int64_t total = 0;                  ///< bytes of the artefact
  bool operator==(const Chunk&) const = default;
};

using Body = std::variant<SampleBatch, Status, Ack, ReleaseOffer, ChunkRequest, Chunk>;

struct Envelope {
  std::string id;                     ///< unique for ever: "<sender>/<counter>"
  std::string sender;
  int64_t sent_ms = 0;
  Body body;
  bool operator==(const Envelope&) const = default;
};

/// Protobuf (messages.proto), payloads compressed with zstd. decode throws Error{Corrupt} for anything else, and for a
/// payload that would decompress to more than 16 MiB.
core::Bytes encode(const Envelope& envelope);
Envelope decode(std::span<const std::byte> bytes);

}  // namespace coppice::link
