#include "core/hash.h"

#include <algorithm>
#include <array>
#include <vector>

#include <sodium.h>

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

/// Pieces of every length that ends within, at and behind a block, against libsodium's own.
TEST(Hash, IsLibsodiumsWhereverPiecesEnd) {
  std::vector<std::byte> bytes(700);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(i * 131 + i / 7);
  }
  for (size_t size = 0; size <= bytes.size(); size += 13) {
    const std::span whole = std::span<const std::byte>(bytes).first(size);
    std::array<std::byte, crypto_hash_sha256_BYTES> expected{};
    crypto_hash_sha256(reinterpret_cast<unsigned char*>(expected.data()),
                       reinterpret_cast<const unsigned char*>(whole.data()),
                       size);
    for (const size_t piece : {1, 63, 64, 65, 200}) {
      Sha256 hash;
      for (size_t at = 0; at < size; at += piece) {
        hash.update(whole.subspan(at, std::min(piece, size - at)));
      }
      EXPECT_EQ(hash.finish(), to_hex(expected)) << size << " bytes in pieces of " << piece;
    }
  }
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
