#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.h"
#include "release/release.h"
#include "release/sample.h"

namespace coppice::release {
namespace {

using core::ErrorKind;
using testing::HasSubstr;

class Verify : public testing::Test {
 protected:
  ErrorKind kind(const Release& release,
                 uint64_t installed = kInstalled,
                 int64_t now_ms = 1500) const {
    return kind_of([&] { verify(release, keys_.public_key, installed, at_ms(now_ms)); });
  }

  ErrorKind offer_kind(const Release& release, uint64_t installed, int64_t now_ms) const {
    return kind_of([&] {
      verify_offer(release.manifest, release.signature, keys_.public_key, installed, at_ms(now_ms));
    });
  }

  KeyPair keys_ = test_keys();
  Release release_ = sign(sample_manifest(), sample_artefact(), keys_);
};

TEST_F(Verify, ReturnsTheManifestOfAGoodRelease) {
  const Manifest m = verify(release_, keys_.public_key, kInstalled, at_ms(1500));
  Manifest expected = sample_manifest();
  expected.artefact_hash = core::sha256(sample_artefact());
  expected.artefact_bytes = 300;
  EXPECT_EQ(m, expected);
  EXPECT_EQ(verify_offer(
                release_.manifest, release_.signature, keys_.public_key, kInstalled, at_ms(1500)),
            expected);
}

TEST_F(Verify, SigningIsDeterministic) {
  const Release again = sign(sample_manifest(), sample_artefact(), keys_);
  EXPECT_EQ(again.manifest, release_.manifest);
  EXPECT_EQ(again.signature, release_.signature);
}

TEST_F(Verify, RefusesEveryFlippedBit) {
  for (core::Bytes Release::*part : {&Release::manifest, &Release::signature, &Release::artefact}) {
    Release altered = release_;
    core::Bytes& bytes = altered.*part;
    ASSERT_FALSE(bytes.empty());
    for (size_t i = 0; i < bytes.size(); ++i) {
      for (const int mask : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
        bytes[i] ^= static_cast<std::byte>(mask);
        ASSERT_EQ(kind(altered), ErrorKind::Refused) << "byte " << i << ", mask " << mask;
        bytes[i] ^= static_cast<std::byte>(mask);
      }
    }
    EXPECT_NO_THROW(verify(altered, keys_.public_key, kInstalled, at_ms(1500)));
  }
}

TEST_F(Verify, RefusesPartsThatAreShorterLongerOrEmpty) {
  for (core::Bytes Release::*part : {&Release::manifest, &Release::signature, &Release::artefact}) {
    Release altered = release_;
    (altered.*part).pop_back();
    EXPECT_EQ(kind(altered), ErrorKind::Refused);
    altered = release_;
    (altered.*part).push_back(std::byte{0});
    EXPECT_EQ(kind(altered), ErrorKind::Refused);
    (altered.*part).clear();
    EXPECT_EQ(kind(altered), ErrorKind::Refused);
  }
}

TEST_F(Verify, RefusesPartsOfAnotherRelease) {
  Manifest next = sample_manifest();
  next.counter = 6;
  const Release other = sign(next, sample_artefact(301), keys_);
  EXPECT_EQ(kind({other.manifest, release_.signature, other.artefact}), ErrorKind::Refused);
  EXPECT_EQ(kind({other.manifest, other.signature, release_.artefact}), ErrorKind::Refused);
}

TEST_F(Verify, RefusesAnOlderOrEqualCounter) {
  EXPECT_EQ(kind(release_, 5), ErrorKind::Refused);
  EXPECT_EQ(kind(release_, 6), ErrorKind::Refused);
  EXPECT_EQ(kind(release_, std::numeric_limits<uint64_t>::max()), ErrorKind::Refused);
  EXPECT_EQ(offer_kind(release_, 5, 1500), ErrorKind::Refused);
  EXPECT_NO_THROW(verify(release_, keys_.public_key, 0, at_ms(1500)));
}

TEST_F(Verify, RefusesAnExpiredRelease) {
  EXPECT_NO_THROW(verify(release_, keys_.public_key, kInstalled, at_ms(1999)));
  EXPECT_EQ(kind(release_, kInstalled, 2000), ErrorKind::Refused);
  EXPECT_EQ(kind(release_, kInstalled, 2001), ErrorKind::Refused);
  EXPECT_EQ(offer_kind(release_, kInstalled, 2000), ErrorKind::Refused);
  Manifest forever = sample_manifest();
  forever.expires_ms = 0;
  EXPECT_NO_THROW(verify(sign(forever, sample_artefact(), keys_),
                         keys_.public_key,
                         kInstalled,
                         at_ms(4'000'000'000'000)));
}

TEST_F(Verify, RefusesAnotherKey) {
  const KeyPair other = test_keys(8);
  EXPECT_EQ(kind_of([&] { verify(release_, other.public_key, kInstalled, at_ms(1500)); }),
            ErrorKind::Refused);
  EXPECT_EQ(kind_of([&] {
              verify_offer(
                  release_.manifest, release_.signature, other.public_key, kInstalled, at_ms(1500));
            }),
            ErrorKind::Refused);
  EXPECT_EQ(kind_of([&] { verify(release_, core::Bytes(32), kInstalled, at_ms(1500)); }),
            ErrorKind::Refused);
  EXPECT_EQ(kind_of([&] { verify(release_, core::Bytes(31), kInstalled, at_ms(1500)); }),
            ErrorKind::InvalidArgument);
}

TEST_F(Verify, RefusesARuntimeThatIsTooOld) {
  Manifest m = sample_manifest();
  m.required_runtime = std::to_string(kRuntimeFormat + 1);
  EXPECT_EQ(kind(sign(m, sample_artefact(), keys_)), ErrorKind::Refused);
}

TEST_F(Verify, SaysWhatToDoAndRepeatsNothingOfTheRelease) {
  Release altered = release_;
  altered.manifest = to_bytes("run: rm -rf /");
  try {
    verify(altered, keys_.public_key, kInstalled, at_ms(1500));
    FAIL();
  } catch (const core::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("release.pub"));
    EXPECT_THAT(error.what(), Not(HasSubstr("rm -rf")));
  }
}

TEST_F(Verify, SignedBytesThatAreNoManifestAreCorrupt) {
  // RFC 8032, section 7.1, test 2: a good signature of the single byte 0x72.
  const auto from_hex = [](const std::string& hex) {
    core::Bytes bytes;
    for (size_t i = 0; i < hex.size(); i += 2) {
      bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    return bytes;
  };
  const auto seed = from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  const auto signature = from_hex(
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  const auto key = keys_from_seed(seed).public_key;
  EXPECT_EQ(core::to_hex(key), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(
      kind_of([&] { verify_offer(core::Bytes{std::byte{0x72}}, signature, key, 0, at_ms(0)); }),
      ErrorKind::Corrupt);
}

TEST(Sign, RefusesKeysOfAWrongSize) {
  KeyPair keys = test_keys();
  keys.secret_key.resize(32);
  EXPECT_EQ(kind_of([&] { sign(sample_manifest(), sample_artefact(), keys); }),
            ErrorKind::InvalidArgument);
}

TEST(Sign, RefusesAManifestThatDevicesWouldNotTake) {
  Manifest m = sample_manifest();
  m.counter = 0;
  EXPECT_EQ(kind_of([&] { sign(m, sample_artefact(), test_keys()); }), ErrorKind::InvalidArgument);
}

}  // namespace
}  // namespace coppice::release
