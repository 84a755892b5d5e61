#include "link/message.h"

#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include "core/error.h"
#include "core/rng.h"
#include "link/messages.pb.h"
#include "link/utf8.h"

namespace coppice::link {
namespace {

using core::ErrorKind;

core::Bytes random_bytes(core::Rng& rng, size_t size) {
  core::Bytes bytes(size);
  for (std::byte& b : bytes) {
    b = static_cast<std::byte>(rng.below(256));
  }
  return bytes;
}

Sample sample(int64_t sequence) {
  return {.sequence = sequence,
          .payload = core::Bytes(784, std::byte{3}),
          .predicted = 7,
          .confidence = 0.4375,
          .feedback = 2,
          .reason = "misclassified",
          .inclusion_probability = 0.125,
          .captured_ms = 1'700'000'000'123,
          .model_hash = std::string(64, 'a')};
}

std::vector<Envelope> envelopes() {
  core::Rng rng(1);
  Sample noise = sample(2);
  noise.payload = random_bytes(rng, 5000);
  noise.predicted = -1;
  noise.feedback = -1;
  Sample empty = sample(3);
  empty.payload.clear();
  const Status status{.release_counter = std::numeric_limits<uint64_t>::max(),
                      .inferred = 100,
                      .feedback_seen = 10,
                      .feedback_wrong = 3,
                      .mean_confidence = 0.9,
                      .spooled = 17,
                      .evicted = 2,
                      .update_error = "counter not above 7 – refused",
                      .drift = true,
                      .refused_counter = 8};
  const std::vector<Body> bodies{
      SampleBatch{{sample(1), noise, empty}},
      SampleBatch{},
      status,
      Status{},
      Ack{{"device/1", "device/2"}},
      Ack{},
      ReleaseOffer{random_bytes(rng, 300), random_bytes(rng, 64)},
      ReleaseOffer{},
      ChunkRequest{std::string(64, 'b'), 65536, 4096},
      Chunk{std::string(64, 'b'), 65536, random_bytes(rng, 4096), 100000},
      Chunk{},
  };
  std::vector<Envelope> result;
  for (const Body& body : bodies) {
    const std::string id = "device-é/" + std::to_string(result.size());
    result.push_back({id, "device-é", 1'700'000'000'000, body});
  }
  return result;
}

std::optional<ErrorKind> decode_error(std::span<const std::byte> bytes) {
  try {
    decode(bytes);
    return std::nullopt;
  } catch (const core::Error& error) {
    return error.kind();
  }
}

std::optional<ErrorKind> decode_error(const wire::Envelope& envelope) {
  return decode_error(core::as_bytes(envelope.SerializeAsString()));
}

wire::Envelope wire_envelope() {
  wire::Envelope envelope;
  envelope.set_id("d/1");
  envelope.set_sender("d");
  return envelope;
}

wire::Envelope wire_sample(const std::string& payload, int copies = 1) {
  wire::Envelope envelope = wire_envelope();
  for (int i = 0; i < copies; ++i) {
    wire::Sample& s = *envelope.mutable_samples()->add_samples();
    s.set_sequence(i + 1);
    s.set_inclusion_probability(1);
    s.set_payload(payload);
  }
  return envelope;
}

std::string zstd_frame(const std::string& content) {
  std::string frame(ZSTD_compressBound(content.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), content.data(), content.size(), 1));
  return frame;
}

TEST(Message, RoundTrips) {
  for (const Envelope& envelope : envelopes()) {
    const core::Bytes bytes = encode(envelope);
    EXPECT_EQ(decode(bytes), envelope) << envelope.id;
    EXPECT_EQ(encode(decode(bytes)), bytes) << envelope.id;
  }
}

TEST(Message, CompressesPayloads) {
  const Envelope envelope{"d/1", "d", 0, SampleBatch{{sample(1)}}};
  EXPECT_LT(encode(envelope).size(), 250U);
}

TEST(Message, TakesPayloadsUpToTheLimit) {
  Envelope envelope{"d/1", "d", 0, SampleBatch{{sample(1)}}};
  auto& payload = std::get<SampleBatch>(envelope.body).samples[0].payload;
  payload.assign(kMaxPayloadBytes, std::byte{1});
  EXPECT_EQ(decode(encode(envelope)), envelope);
  payload.push_back(std::byte{1});
  EXPECT_THROW(encode(envelope), core::Error);
}

TEST(Message, RefusesToWriteMoreThanItsLimits) {
  core::Rng rng(2);
  Sample large = sample(1);
  large.payload = random_bytes(rng, 12U << 20U);
  EXPECT_THROW(encode({"d/1", "d", 0, SampleBatch{{large, large, large}}}),
               core::Error);  // 36 MiB encoded
  large.payload.assign(15U << 20U, std::byte{0});
  EXPECT_THROW(encode({"d/1", "d", 0, SampleBatch{{large, large, large, large, large}}}),
               core::Error);
}

TEST(Message, EveryTruncationIsCorruptOrAShorterMessage) {
  for (const Envelope& envelope : envelopes()) {
    const core::Bytes bytes = encode(envelope);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const auto error = decode_error(std::span(bytes).first(size));
      // Cut between two fields, protobuf sees a message with fewer of them; ours always lacks its
      // body then.
      EXPECT_EQ(error, ErrorKind::Corrupt) << envelope.id << " cut to " << size;
    }
  }
}

TEST(Message, AlteredBytesAreCorruptOrDecodeToSomethingValid) {
  for (const Envelope& envelope : envelopes()) {
    const core::Bytes good = encode(envelope);
    for (size_t i = 0; i < std::min<size_t>(good.size(), 1500); ++i) {
      for (const int mask : {0x01, 0x02, 0x08, 0x40, 0x80, 0xFF}) {
        core::Bytes altered = good;
        altered[i] ^= static_cast<std::byte>(mask);
        const auto error = decode_error(altered);
        EXPECT_TRUE(!error || *error == ErrorKind::Corrupt) << envelope.id << " byte " << i;
        if (!error) {
          EXPECT_NO_THROW(encode(decode(altered))) << envelope.id << " byte " << i;
        }
      }
    }
  }
}

TEST(Message, NoiseIsCorrupt) {
  core::Rng rng(3);
  for (int i = 0; i < 3000; ++i) {
    EXPECT_EQ(decode_error(random_bytes(rng, static_cast<size_t>(rng.below(200)))),
              ErrorKind::Corrupt);
  }
}

TEST(Message, NoBodyOrOneOfAnUnknownKindIsCorrupt) {
  EXPECT_EQ(decode_error(wire_envelope()), ErrorKind::Corrupt);
  const std::string unknown_body("\x82\x06\x00", 3);  // field 96, of length 0
  EXPECT_EQ(decode_error(core::as_bytes(wire_envelope().SerializeAsString() + unknown_body)),
            ErrorKind::Corrupt);
}

TEST(Message, FieldsOfALaterVersionAreSkipped) {
  wire::Envelope envelope = wire_envelope();
  envelope.mutable_ack()->add_ids("x");
  const std::string later = envelope.SerializeAsString() + std::string("\x82\x06\x01?", 4);
  EXPECT_EQ(decode(core::as_bytes(later)).body, Body(Ack{{"x"}}));
}

TEST(Message, ADecompressionBombIsRefusedByItsHeader) {
  const std::string frame = zstd_frame(std::string(kMaxPayloadBytes + 1, '\0'));
  ASSERT_LT(frame.size(), 10000U);
  EXPECT_EQ(decode_error(wire_sample(frame)), ErrorKind::Corrupt);
  // A header that claims 2^60 bytes: magic number, descriptor (8-byte size, single segment), size.
  const std::string claim("\x28\xB5\x2F\xFD\xE0\x00\x00\x00\x00\x00\x00\x00\x10", 13);
  EXPECT_EQ(ZSTD_getFrameContentSize(claim.data(), claim.size()), 1ULL << 60U);
  EXPECT_EQ(decode_error(wire_sample(claim)), ErrorKind::Corrupt);
  // The same with a block behind it, so that the frame is whole.
  EXPECT_EQ(decode_error(wire_sample(claim + std::string("\x01\x00\x00", 3))), ErrorKind::Corrupt);
}

TEST(Message, ManySmallBombsAreRefusedTogether) {
  const std::string frame = zstd_frame(std::string(kMaxPayloadBytes, '\0'));
  const int most = static_cast<int>(kMaxBatchPayloadBytes / kMaxPayloadBytes);
  EXPECT_EQ(decode_error(wire_sample(frame, most)), std::nullopt);
  EXPECT_EQ(decode_error(wire_sample(frame, most + 1)), ErrorKind::Corrupt);
  EXPECT_EQ(decode_error(wire_sample(frame, 1000)), ErrorKind::Corrupt);
}

TEST(Message, PayloadsAreOneWholeFrame) {
  const std::string frame = zstd_frame("content");
  EXPECT_EQ(decode_error(wire_sample(frame)), std::nullopt);
  EXPECT_EQ(decode_error(wire_sample("content")), ErrorKind::Corrupt);
  EXPECT_EQ(decode_error(wire_sample(frame + frame)), ErrorKind::Corrupt);
  EXPECT_EQ(decode_error(wire_sample(frame + "x")), ErrorKind::Corrupt);
  for (size_t size = 1; size < frame.size(); ++size) {
    EXPECT_EQ(decode_error(wire_sample(frame.substr(0, size))), ErrorKind::Corrupt) << size;
  }
}

TEST(Message, AFrameThatKeepsItsSizeToItselfIsCorrupt) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 0);
  const std::string content(1000, 'x');
  std::string frame(ZSTD_compressBound(content.size()), '\0');
  frame.resize(
      ZSTD_compress2(context.get(), frame.data(), frame.size(), content.data(), content.size()));
  ASSERT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), ZSTD_CONTENTSIZE_UNKNOWN);
  EXPECT_EQ(decode_error(wire_sample(frame)), ErrorKind::Corrupt);
}

TEST(Message, MoreThanTheLimitIsCorrupt) {
  EXPECT_EQ(decode_error(core::Bytes(kMaxEncodedBytes + 1)), ErrorKind::Corrupt);
}

template <class Part>
void expect_refused(const Part& part, const std::function<void(Part&)>& change, const char* field) {
  Part bad = part;
  change(bad);
  Envelope envelope{"d/1", "d", 0, {}};
  if constexpr (std::is_same_v<Part, Sample>) {
    envelope.body = SampleBatch{{part, bad}};
  } else {
    envelope.body = bad;
  }
  try {
    encode(envelope);
    ADD_FAILURE() << field << " was written";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
    EXPECT_THAT(error.what(), testing::HasSubstr(std::string("'") + field + "'"));
  }
}

TEST(Message, FieldsOutOfRangeAreNotWritten) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto bad_sample = [](const std::function<void(Sample&)>& change, const char* field) {
    expect_refused<Sample>(sample(1), change, field);
  };
  bad_sample([](Sample& s) { s.sequence = 0; }, "sequence");
  bad_sample([](Sample& s) { s.predicted = -2; }, "predicted");
  bad_sample([](Sample& s) { s.confidence = 1.5; }, "confidence");
  bad_sample([&](Sample& s) { s.confidence = nan; }, "confidence");
  bad_sample([](Sample& s) { s.feedback = -2; }, "feedback");
  bad_sample([](Sample& s) { s.inclusion_probability = 0; }, "inclusion_probability");
  bad_sample([](Sample& s) { s.inclusion_probability = 1.1; }, "inclusion_probability");
  bad_sample([&](Sample& s) { s.inclusion_probability = nan; }, "inclusion_probability");
  bad_sample([](Sample& s) { s.reason = std::string("\xff"); }, "reason");
  bad_sample([](Sample& s) { s.model_hash = std::string("\xc0\x80"); }, "model_hash");
  const auto bad_status = [](const std::function<void(Status&)>& change, const char* field) {
    expect_refused<Status>(Status{}, change, field);
  };
  bad_status([](Status& s) { s.inferred = -1; }, "inferred");
  bad_status([](Status& s) { s.feedback_seen = -1; }, "feedback_seen");
  bad_status([](Status& s) { s.feedback_wrong = 1; }, "feedback_wrong");
  bad_status([&](Status& s) { s.mean_confidence = nan; }, "mean_confidence");
  bad_status([](Status& s) { s.spooled = -1; }, "spooled");
  bad_status([](Status& s) { s.evicted = -1; }, "evicted");
  bad_status([](Status& s) { s.update_error = std::string("\x80"); }, "update_error");
  expect_refused<Ack>(
      Ack{},
      [](Ack& a) {
        a.ids = {"ok", "\xed\xa0\x80"};
      },
      "ids");
  const auto bad_chunk = [](const std::function<void(Chunk&)>& change, const char* field) {
    expect_refused<Chunk>(Chunk{"h", 10, core::Bytes(5), 15}, change, field);
  };
  bad_chunk([](Chunk& c) { c.offset = -1; }, "offset");
  bad_chunk([](Chunk& c) { c.offset = 16; }, "offset");
  bad_chunk([](Chunk& c) { c.offset = std::numeric_limits<int64_t>::max(); }, "offset");
  bad_chunk([](Chunk& c) { c.total = 14; }, "data");
  bad_chunk([](Chunk& c) { c.total = -1; }, "total");
  expect_refused<ChunkRequest>(
      {}, [](ChunkRequest& r) { r.offset = -1; }, "offset");
  expect_refused<ChunkRequest>(
      {}, [](ChunkRequest& r) { r.size = -1; }, "size");
}

TEST(Message, FieldsOutOfRangeAreNotReadEither) {
  EXPECT_EQ(decode_error(wire_sample("")), std::nullopt);
  const auto sample_error = [](const std::function<void(wire::Sample&)>& change) {
    wire::Envelope envelope = wire_sample("");
    change(*envelope.mutable_samples()->mutable_samples(0));
    return decode_error(envelope);
  };
  EXPECT_EQ(sample_error([](wire::Sample& s) { s.set_sequence(0); }), ErrorKind::Corrupt);
  EXPECT_EQ(sample_error([](wire::Sample& s) { s.set_confidence(-0.1); }), ErrorKind::Corrupt);
  EXPECT_EQ(sample_error([](wire::Sample& s) { s.set_inclusion_probability(0); }),
            ErrorKind::Corrupt);
  EXPECT_EQ(sample_error([](wire::Sample& s) { s.set_feedback(-5); }), ErrorKind::Corrupt);
  wire::Envelope chunk = wire_envelope();
  chunk.mutable_chunk()->set_offset(std::numeric_limits<int64_t>::max());
  chunk.mutable_chunk()->set_data("xyz");
  chunk.mutable_chunk()->set_total(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(decode_error(chunk), ErrorKind::Corrupt);
}

TEST(Message, IdsBelongToTheirSender) {
  const auto kind = [](const std::string& id, const std::string& sender) {
    wire::Envelope envelope;
    envelope.set_id(id);
    envelope.set_sender(sender);
    envelope.mutable_ack();
    return decode_error(envelope);
  };
  EXPECT_EQ(kind("d/1", "d"), std::nullopt);
  EXPECT_EQ(kind("site/d/1", "site/d"), std::nullopt);
  EXPECT_EQ(kind("e/1", "d"), ErrorKind::Corrupt);
  EXPECT_EQ(kind("d", "d"), ErrorKind::Corrupt);
  EXPECT_EQ(kind("d/", "d"), ErrorKind::Corrupt);
  EXPECT_EQ(kind("d1", "d"), ErrorKind::Corrupt);
  EXPECT_EQ(kind("", "d"), ErrorKind::Corrupt);
  EXPECT_EQ(kind("/1", ""), ErrorKind::Corrupt);
  EXPECT_THROW(encode({"e/1", "d", 0, Ack{}}), core::Error);
}

TEST(Message, TextThatIsNotUtf8IsCorrupt) {
  // Field 1, of length 1: a byte that no UTF-8 text holds.
  const std::string bytes("\x0A\x01\xFF", 3);
  testing::internal::CaptureStderr();
  EXPECT_EQ(decode_error(core::as_bytes(bytes)), ErrorKind::Corrupt);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");  // libraries don't print
}

TEST(Utf8, KnowsWellFormedText) {
  for (const char* good : {"",
                           "a",
                           "\x7f",
                           "é",
                           "\xdf\xbf",
                           "\xe0\xa0\x80",
                           "€",
                           "\xed\x9f\xbf",
                           "\xee\x80\x80",
                           "\xf0\x90\x80\x80",
                           "\xf4\x8f\xbf\xbf",
                           "a€b"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad : {"\x80",
                          "\xbf",
                          "\xc3",
                          "\xc3(",
                          "\xc0\x80",
                          "\xc1\xbf",
                          "\xe0\x9f\xbf",
                          "\xe2\x82",
                          "\xed\xa0\x80",
                          "\xed\xbf\xbf",
                          "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80",
                          "\xf8\x88\x80\x80\x80",
                          "\xfe",
                          "\xff",
                          "a\xffz"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace coppice::link
