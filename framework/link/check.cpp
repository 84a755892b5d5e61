#include "link/check.h"

#include <algorithm>
#include <string_view>

#include "link/utf8.h"

namespace coppice::link {

namespace {

/// False for NaN.
bool is_share(double value) {
  return value >= 0 && value <= 1;
}

std::string check(const SampleBatch& batch) {
  size_t total = 0;
  for (const Sample& s : batch.samples) {
    total += s.payload.size();
    if (s.sequence < 1) {
      return "sequence";
    }
    if (s.payload.size() > kMaxPayloadBytes || total > kMaxBatchPayloadBytes) {
      return "payload";
    }
    if (s.predicted < -1) {
      return "predicted";
    }
    if (!is_share(s.confidence)) {
      return "confidence";
    }
    if (s.feedback < -1) {
      return "feedback";
    }
    if (!is_share(s.inclusion_probability) || s.inclusion_probability == 0) {
      return "inclusion_probability";
    }
    if (!is_utf8(s.reason)) {
      return "reason";
    }
    if (!is_utf8(s.model_hash)) {
      return "model_hash";
    }
  }
  return "";
}

std::string check(const Status& s) {
  if (s.inferred < 0) {
    return "inferred";
  }
  if (s.feedback_seen < 0) {
    return "feedback_seen";
  }
  if (s.feedback_wrong < 0 || s.feedback_wrong > s.feedback_seen) {
    return "feedback_wrong";
  }
  if (!is_share(s.mean_confidence)) {
    return "mean_confidence";
  }
  if (s.spooled < 0) {
    return "spooled";
  }
  if (s.evicted < 0) {
    return "evicted";
  }
  return is_utf8(s.update_error) ? "" : "update_error";
}

std::string check(const Ack& ack) {
  return std::all_of(ack.ids.begin(), ack.ids.end(), is_utf8) ? "" : "ids";
}

std::string check(const ReleaseOffer&) {
  return "";
}

std::string check(const ChunkRequest& request) {
  if (!is_utf8(request.artefact_hash)) {
    return "artefact_hash";
  }
  if (request.offset < 0) {
    return "offset";
  }
  return request.size >= 0 ? "" : "size";
}

std::string check(const Chunk& chunk) {
  if (!is_utf8(chunk.artefact_hash)) {
    return "artefact_hash";
  }
  if (chunk.total < 0) {
    return "total";
  }
  if (chunk.offset < 0 || chunk.offset > chunk.total) {
    return "offset";
  }
  return static_cast<int64_t>(chunk.data.size()) <= chunk.total - chunk.offset ? "" : "data";
}

}  // namespace

std::string out_of_range_field(const Envelope& envelope) {
  const std::string& sender = envelope.sender;
  if (sender.empty() || !is_utf8(sender)) {
    return "sender";
  }
  // A sender can thus only use up ids of its own.
  if (!is_utf8(envelope.id) || envelope.id.size() < sender.size() + 2 ||
      !envelope.id.starts_with(sender) || envelope.id[sender.size()] != '/') {
    return "id";
  }
  return std::visit([](const auto& body) { return check(body); }, envelope.body);
}

}  // namespace coppice::link
