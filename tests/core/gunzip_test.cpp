#include "core/expect_error.h"
#include "core/files.h"
#include "core/gzip.h"

namespace coppice::core {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Bytes gzip(std::string_view text) {
  return test::gzip(as_bytes(text));
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 200000; ++i) {
    text += static_cast<char>('a' + i % 997 % 26);
  }
  return text;
}

TEST(Gunzip, RoundTrip) {
  for (const std::string& text : {std::string(), std::string("x"), sample()}) {
    EXPECT_EQ(as_text(gunzip(gzip(text), "data.gz")), text);
  }
}

TEST(Gunzip, JoinsMembers) {
  Bytes both = gzip("first ");
  const Bytes second = gzip("second");
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_EQ(as_text(gunzip(both, "data.gz")), "first second");
}

TEST(Gunzip, RefusesEveryTruncation) {
  const Bytes whole = gzip("the quick brown fox jumps over the lazy dog");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_ERROR(gunzip(std::span(whole).first(size), "data.gz"), Corrupt, HasSubstr("data.gz"));
  }
  const Bytes large = gzip(sample());
  EXPECT_ERROR(
      gunzip(std::span(large).first(large.size() - 5), "data.gz"), Corrupt, HasSubstr("truncated"));
}

TEST(Gunzip, NeverReturnsAlteredContent) {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  const Bytes whole = gzip(text);
  size_t harmless =
      0;  // file name, time, system, and the bits that fill up the last byte of a block
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes altered = whole;
    altered[bit / 8] ^= std::byte{1} << (bit % 8);
    try {
      EXPECT_EQ(as_text(gunzip(altered, "data.gz")), text);
      ++harmless;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Corrupt);
      EXPECT_THAT(error.what(), HasSubstr("data.gz"));
    }
  }
  EXPECT_LT(harmless, size_t{8 * 10});
  Bytes checksum = whole;
  checksum[whole.size() - 6] ^= std::byte{1};
  EXPECT_ERROR(gunzip(checksum, "data.gz"), Corrupt, HasSubstr("incorrect data check"));
}

TEST(Gunzip, RefusesGarbage) {
  Bytes trailing = gzip("text");
  trailing.resize(trailing.size() + 3);
  EXPECT_ERROR(gunzip(trailing, "data.gz"),
               Corrupt,
               AllOf(HasSubstr("data.gz"), HasSubstr("3 bytes of garbage")));
  EXPECT_ERROR(
      gunzip(as_bytes("not compressed at all"), "data.gz"), Corrupt, HasSubstr("not gzip"));
}

}  // namespace
}  // namespace coppice::core
