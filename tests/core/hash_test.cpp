#include "core/hash.h"

#include "core/expect_error.h"
#include "core/files.h"

namespace coppice::core {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kMillion =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Hash, MatchesThePublishedVectors) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), kAbc);
  EXPECT_EQ(sha256(std::string(1000000, 'a')), kMillion);
}

TEST(Hash, PiecesGiveTheHashOfTheWhole) {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) {
    hash.update(std::string(1000, 'a'));
  }
  EXPECT_EQ(hash.finish(), kMillion);
}

TEST(Hash, OfAFile) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "data";
  write_file(file, std::string(3000000, 'a'));  // more than one piece
  EXPECT_EQ(sha256_file(file), sha256(std::string(3000000, 'a')));
  write_file(file, "");
  EXPECT_EQ(sha256_file(file), sha256(""));
  EXPECT_ERROR(sha256_file(folder.path() / "none"), NotFound, HasSubstr("none"));
  EXPECT_ERROR(sha256_file(folder.path()), Io, HasSubstr("directory"));
}

TEST(Hash, Hexadecimal) {
  const std::array<std::byte, 3> bytes = {std::byte{0x00}, std::byte{0xAF}, std::byte{0x09}};
  EXPECT_EQ(to_hex(bytes), "00af09");
}

TEST(Hash, IsFinishedOnce) {
  Sha256 hash;
  hash.update("abc");
  EXPECT_EQ(hash.finish(), kAbc);
  EXPECT_ERROR(hash.finish(), Internal, HasSubstr("once"));
}

}  // namespace
}  // namespace coppice::core
