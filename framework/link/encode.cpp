#include <fmt/format.h>

#include "core/error.h"
#include "link/check.h"
#include "link/message.h"
#include "link/messages.pb.h"
#include "link/payload.h"

namespace coppice::link {

namespace {

std::string to_string(const core::Bytes& bytes) {
  return std::string(core::as_text(bytes));
}

void write(const SampleBatch& batch, wire::Envelope& out) {
  PayloadCompressor compressor;
  wire::SampleBatch& samples = *out.mutable_samples();
  for (const Sample& s : batch.samples) {
    wire::Sample& sample = *samples.add_samples();
    sample.set_sequence(s.sequence);
    sample.set_payload(compressor.compress(s.payload));
    sample.set_predicted(s.predicted);
    sample.set_confidence(s.confidence);
    sample.set_feedback(s.feedback);
    sample.set_reason(s.reason);
    sample.set_inclusion_probability(s.inclusion_probability);
    sample.set_captured_ms(s.captured_ms);
    sample.set_model_hash(s.model_hash);
  }
}

void write(const Status& s, wire::Envelope& out) {
  wire::Status& status = *out.mutable_status();
  status.set_release_counter(s.release_counter);
  status.set_inferred(s.inferred);
  status.set_feedback_seen(s.feedback_seen);
  status.set_feedback_wrong(s.feedback_wrong);
  status.set_mean_confidence(s.mean_confidence);
  status.set_spooled(s.spooled);
  status.set_evicted(s.evicted);
  status.set_update_error(s.update_error);
  status.set_drift(s.drift);
  status.set_refused_counter(s.refused_counter);
}

void write(const Ack& ack, wire::Envelope& out) {
  wire::Ack& acknowledged = *out.mutable_ack();
  for (const std::string& id : ack.ids) {
    acknowledged.add_ids(id);
  }
}

void write(const ReleaseOffer& offer, wire::Envelope& out) {
  out.mutable_release()->set_manifest(to_string(offer.manifest));
  out.mutable_release()->set_signature(to_string(offer.signature));
}

void write(const ChunkRequest& request, wire::Envelope& out) {
  out.mutable_chunk_request()->set_artefact_hash(request.artefact_hash);
  out.mutable_chunk_request()->set_offset(request.offset);
  out.mutable_chunk_request()->set_size(request.size);
}

void write(const Chunk& chunk, wire::Envelope& out) {
  out.mutable_chunk()->set_artefact_hash(chunk.artefact_hash);
  out.mutable_chunk()->set_offset(chunk.offset);
  out.mutable_chunk()->set_data(to_string(chunk.data));
  out.mutable_chunk()->set_total(chunk.total);
}

}  // namespace

core::Bytes encode(const Envelope& envelope) {
  const std::string field = out_of_range_field(envelope);
  if (!field.empty()) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("message '{}': field '{}' is out of range; message.h names the range of each",
                    envelope.id,
                    field));
  }
  wire::Envelope out;
  out.set_id(envelope.id);
  out.set_sender(envelope.sender);
  out.set_sent_ms(envelope.sent_ms);
  std::visit([&](const auto& body) { write(body, out); }, envelope.body);
  const size_t size = out.ByteSizeLong();
  if (size > kMaxEncodedBytes) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format(
            "message '{}' has {} bytes, above the limit of {}; send smaller batches or chunks",
            envelope.id,
            size,
            kMaxEncodedBytes));
  }
  core::Bytes bytes(size);
  out.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(bytes.data()));
  return bytes;
}

}  // namespace coppice::link
