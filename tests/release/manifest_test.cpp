#include "release/manifest.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "release/sample.h"

namespace coppice::release {
namespace {

using core::ErrorKind;

Manifest complete_manifest() {
  Manifest m = sample_manifest();
  m.artefact_hash = core::sha256("artefact");
  m.artefact_bytes = 300;
  return m;
}

std::string canonical(const Manifest& m) {
  return std::string(core::as_text(to_json(m)));
}

Manifest parse(const std::string& text) {
  return manifest_from_json(core::as_bytes(text));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Manifest, IsCanonicalJson) {
  // A change of these bytes would make devices refuse every release that is signed already.
  EXPECT_EQ(canonical(complete_manifest()),
            R"({"artefact_bytes":300,)"
            R"("artefact_hash":")" +
                core::sha256("artefact") +
                R"(","counter":5,"created_ms":1000,"expires_ms":2000,)"
                R"("metrics":{"accuracy":0.9125,"latency_ms":1.5},"name":"fashion-mnist",)"
                R"("parent_hash":")" +
                core::sha256("parent") + R"(","reason":"retrain","required_runtime":"1"})");
}

TEST(Manifest, RoundTripsEveryFieldAndNumber) {
  Manifest m = complete_manifest();
  m.counter = std::numeric_limits<uint64_t>::max();
  m.artefact_bytes = std::numeric_limits<int64_t>::max();
  m.created_ms = 0;
  m.expires_ms = std::numeric_limits<int64_t>::max();
  m.name = "Grünholz \"2\" \\ \n\t\x01";
  m.parent_hash = "";
  m.required_runtime = "12";
  m.metrics = {{"third", 1.0 / 3},
               {"least", std::numeric_limits<double>::denorm_min()},
               {"most", std::numeric_limits<double>::max()},
               {"whole", 3},
               {"negative", -0.1},
               {"zero", 0},
               {"", 1e21}};
  EXPECT_EQ(manifest_from_json(to_json(m)), m);
  m.metrics.clear();
  EXPECT_EQ(manifest_from_json(to_json(m)), m);
}

TEST(Manifest, RefusesAnyOtherSpelling) {
  const std::string good = canonical(complete_manifest());
  ASSERT_EQ(parse(good), complete_manifest());
  const std::string bad[] = {
      "",
      "null",
      "[]",
      "{}",
      "not json",
      good + " ",
      " " + good,
      good + good,
      good.substr(0, good.size() - 1),
      replaced(good, "\"counter\":5", "\"counter\": 5"),               // a blank
      replaced(good, "\"counter\":5", "\"counter\":5,\"counter\":5"),  // repeated
      replaced(good, "\"counter\":5", "\"counter\":4,\"counter\":5"),  // repeated, other value
      replaced(good, "\"counter\":5", "\"counter\":5,\"couter\":5"),   // unknown
      replaced(good, "\"counter\":5,", ""),                            // missing
      replaced(good, "\"counter\":5", "\"counter\":\"5\""),            // wrong types from here on
      replaced(good, "\"counter\":5", "\"counter\":5.0"),
      replaced(good, "\"counter\":5", "\"counter\":-5"),
      replaced(good, "\"counter\":5", "\"counter\":18446744073709551616"),
      replaced(good, "\"counter\":5", "\"counter\":0"),  // out of range from here on
      replaced(good, "\"artefact_bytes\":300", "\"artefact_bytes\":9223372036854775808"),
      replaced(good, "\"created_ms\":1000", "\"created_ms\":-1"),
      replaced(good, "\"name\":\"fashion-mnist\"", "\"name\":\"\""),
      replaced(good, "\"name\":\"fashion-mnist\"", "\"name\":null"),
      replaced(good, "\"name\":\"fashion-mnist\"", "\"name\":\"\xff\""),
      replaced(good, "fashion", "f\\u0061shion"),  // another spelling of the same text
      replaced(good, "\"artefact_hash\":\"", "\"artefact_hash\":\"0"),
      replaced(good, "\"required_runtime\":\"1\"", "\"required_runtime\":\"one\""),
      replaced(good, "\"required_runtime\":\"1\"", "\"required_runtime\":1"),
      replaced(good, "\"required_runtime\":\"1\"", "\"required_runtime\":\"\""),
      replaced(good, "0.9125", "0.91250"),
      replaced(good, "0.9125", "1"),
      replaced(good, "0.9125", "null"),
      replaced(good, "0.9125", "1e999"),
      replaced(good, "{\"accuracy\":0.9125,\"latency_ms\":1.5}", "[]"),
      replaced(good,
               "{\"accuracy\":0.9125,\"latency_ms\":1.5}",
               "{\"latency_ms\":1.5,\"accuracy\":0.9125}"),
      std::string(100, '['),
      std::string(200000, '['),
  };
  for (const std::string& text : bad) {
    EXPECT_EQ(kind_of([&] { parse(text); }), ErrorKind::Corrupt) << text.substr(0, 400);
  }
}

TEST(Manifest, ASpellingThatGrowsBeyondTheLimitIsCorruptToo) {
  std::string metrics = "{";
  for (int i = 10000; i < 14000; ++i) {
    metrics += "\"" + std::to_string(i) + "\":1e9,";
  }
  metrics.back() = '}';
  const std::string text =
      replaced(canonical(complete_manifest()), "{\"accuracy\":0.9125,\"latency_ms\":1.5}", metrics);
  ASSERT_LT(text.size(), 64U * 1024);
  EXPECT_EQ(kind_of([&] { parse(text); }), ErrorKind::Corrupt);
}

TEST(Manifest, RefusesEveryTruncation) {
  const std::string good = canonical(complete_manifest());
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(kind_of([&] { parse(good.substr(0, size)); }), ErrorKind::Corrupt) << size;
  }
}

TEST(Manifest, IsNotWrittenWithFieldsOutOfRange) {
  const auto kind = [](auto change) {
    Manifest m = complete_manifest();
    change(m);
    return kind_of([&] { to_json(m); });
  };
  EXPECT_EQ(kind([](Manifest& m) { m.name = ""; }), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind([](Manifest& m) { m.counter = 0; }), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind([](Manifest& m) { m.artefact_hash = ""; }), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind([](Manifest& m) { m.artefact_hash[0] = 'A'; }), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind([](Manifest& m) { m.parent_hash = "abc"; }), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind([](Manifest& m) { m.artefact_bytes = -1; }), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind([](Manifest& m) { m.expires_ms = -1; }), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind([](Manifest& m) { m.required_runtime = "-1"; }), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind([](Manifest& m) { m.metrics["x"] = std::numeric_limits<double>::quiet_NaN(); }),
            ErrorKind::InvalidArgument);
  EXPECT_EQ(kind([](Manifest& m) { m.metrics["x"] = std::numeric_limits<double>::infinity(); }),
            ErrorKind::InvalidArgument);
  EXPECT_EQ(kind([](Manifest& m) { m.reason = std::string("\xff"); }), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind([](Manifest& m) { m.reason = std::string(70000, 'x'); }),
            ErrorKind::InvalidArgument);
}

}  // namespace
}  // namespace coppice::release
