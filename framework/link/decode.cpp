#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>

#include "core/error.h"
#include "link/check.h"
#include "link/message.h"
#include "link/messages.pb.h"
#include "link/payload.h"

namespace coppice::link {

namespace {

[[noreturn]] void fail_corrupt(const std::string& what) {
  throw core::Error(core::ErrorKind::Corrupt,
                    "message: " + what + "; drop it, the sender sends a good one again");
}

core::Bytes to_bytes(const std::string& text) {
  const auto bytes = core::as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

SampleBatch read(const wire::SampleBatch& in) {
  PayloadDecompressor decompressor(kMaxPayloadBytes, kMaxBatchPayloadBytes);
  SampleBatch batch;
  batch.samples.reserve(static_cast<size_t>(in.samples_size()));
  for (const wire::Sample& s : in.samples()) {
    batch.samples.push_back({.sequence = s.sequence(),
                             .payload = decompressor.decompress(s.payload()),
                             .predicted = s.predicted(),
                             .confidence = s.confidence(),
                             .feedback = s.feedback(),
                             .reason = s.reason(),
                             .inclusion_probability = s.inclusion_probability(),
                             .captured_ms = s.captured_ms(),
                             .model_hash = s.model_hash()});
  }
  return batch;
}

Status read(const wire::Status& in) {
  return {.release_counter = in.release_counter(),
          .inferred = in.inferred(),
          .feedback_seen = in.feedback_seen(),
          .feedback_wrong = in.feedback_wrong(),
          .mean_confidence = in.mean_confidence(),
          .spooled = in.spooled(),
          .evicted = in.evicted(),
          .update_error = in.update_error(),
          .drift = in.drift(),
          .refused_counter = in.refused_counter()};
}

Body read_body(const wire::Envelope& in) {
  switch (in.body_case()) {
    case wire::Envelope::kSamples:
      return read(in.samples());
    case wire::Envelope::kStatus:
      return read(in.status());
    case wire::Envelope::kAck:
      return Ack{{in.ack().ids().begin(), in.ack().ids().end()}};
    case wire::Envelope::kRelease:
      return ReleaseOffer{to_bytes(in.release().manifest()), to_bytes(in.release().signature())};
    case wire::Envelope::kChunkRequest:
      return ChunkRequest{in.chunk_request().artefact_hash(),
                          in.chunk_request().offset(),
                          in.chunk_request().size()};
    case wire::Envelope::kChunk:
      return Chunk{in.chunk().artefact_hash(),
                   in.chunk().offset(),
                   to_bytes(in.chunk().data()),
                   in.chunk().total()};
    case wire::Envelope::BODY_NOT_SET:
      break;
  }
  fail_corrupt("it has no body, or one of a kind that this version doesn't know");
}

}  // namespace

Envelope decode(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxEncodedBytes) {
    fail_corrupt(fmt::format("{} bytes are above the limit of {}", bytes.size(), kMaxEncodedBytes));
  }
  wire::Envelope in;
  {
    const google::protobuf::LogSilencer
        silence;  // it would print what it is told by the return value
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      fail_corrupt("its bytes are no protobuf envelope");
    }
  }
  Envelope envelope{in.id(), in.sender(), in.sent_ms(), read_body(in)};
  const std::string field = out_of_range_field(envelope);
  if (!field.empty()) {
    fail_corrupt("field '" + field + "' is out of range");
  }
  return envelope;
}

}  // namespace coppice::link
