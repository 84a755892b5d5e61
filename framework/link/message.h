#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/files.h"

namespace coppice::link {

/// A hard or audited sample, as the sensor gave it.
struct Sample {
  int64_t sequence = 0;    ///< of the device, from 1: (device, sequence) names a sample for ever
  core::Bytes payload;     ///< raw input of the model; compressed on the wire only
  int64_t predicted = -1;  ///< class, or -1 for none
  double confidence = 0;   ///< 0…1
  int64_t feedback = -1;   ///< true class if the device learned it, else -1
  std::string reason;      ///< "misclassified", "uncertain", "audit"
  double inclusion_probability = 1;  ///< that the miner's rule takes a sample like this: in (0, 1]
  int64_t captured_ms = 0;
  std::string model_hash;  ///< artefact that made the prediction
  bool operator==(const Sample&) const = default;
};

struct SampleBatch {
  std::vector<Sample> samples;
  bool operator==(const SampleBatch&) const = default;
};

struct Status {
  uint64_t release_counter = 0;
  int64_t inferred = 0;  ///< since the last status, like the counts below
  int64_t feedback_seen = 0;
  int64_t feedback_wrong = 0;  ///< at most feedback_seen
  double mean_confidence = 0;  ///< 0…1; 0 when nothing was inferred
  int64_t spooled = 0;         ///< samples waiting now
  int64_t evicted = 0;         ///< since the device was set up
  std::string update_error;    ///< why the last offered release was refused; empty when it wasn't
  bool drift = false;
  /// Of the release that `update_error` is about; 0 when there is none or its signature is not
  /// good.
  uint64_t refused_counter = 0;
  bool operator==(const Status&) const = default;
};

struct Ack {
  std::vector<std::string> ids;  ///< envelopes whose effect is durable
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
  core::Bytes data;   ///< lies within the artefact: offset + size is at most total
  int64_t total = 0;  ///< bytes of the artefact
  bool operator==(const Chunk&) const = default;
};

using Body = std::variant<SampleBatch, Status, Ack, ReleaseOffer, ChunkRequest, Chunk>;

struct Envelope {
  std::string id;      ///< unique for ever: "<sender>/<counter>"
  std::string sender;  ///< not empty
  int64_t sent_ms = 0;
  Body body;
  bool operator==(const Envelope&) const = default;
};

inline constexpr size_t kMaxPayloadBytes = size_t{16} << 20;  ///< of one sample, before compression
inline constexpr size_t kMaxBatchPayloadBytes = size_t{64} << 20;  ///< of all samples of a batch
inline constexpr size_t kMaxEncodedBytes = size_t{32} << 20;       ///< of a whole message

/// Protobuf (messages.proto), payloads compressed with zstd. The same envelope gives the same
/// bytes. Throws Error{InvalidArgument} for what `decode` would not take: a field outside the range
/// given above, text that is not UTF-8, sizes above the limits.
core::Bytes encode(const Envelope& envelope);

/// Throws Error{Corrupt} for anything that `encode` does not write: malformed bytes, no body or one
/// of an unknown kind, a field outside its range, a payload that does not decompress or would to
/// more than the limits (seen from its header, before memory is taken). Fields that a later version
/// adds are skipped.
Envelope decode(std::span<const std::byte> bytes);

}  // namespace coppice::link
