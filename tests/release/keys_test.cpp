#include "release/keys.h"

#include <fstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "release/sample.h"

namespace coppice::release {
namespace {

namespace fs = std::filesystem;
using core::ErrorKind;

class Keys : public testing::Test {
 protected:
  ErrorKind load_kind() const {
    return kind_of([&] { load_or_create_keys(folder()); });
  }

  fs::path folder() const { return temporary_.path() / "keys"; }

  fs::path key_file() const { return folder() / "release.key"; }

  fs::path public_file() const { return folder() / "release.pub"; }

  /// In place, so that the mode stays.
  static void overwrite(const fs::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
  }

  core::TemporaryFolder temporary_;
};

TEST_F(Keys, AreRandomOrFromASeed) {
  const KeyPair a = generate_keys();
  EXPECT_EQ(a.public_key.size(), 32U);
  EXPECT_EQ(a.secret_key.size(), 64U);
  EXPECT_NE(a.secret_key, generate_keys().secret_key);
  EXPECT_EQ(test_keys(1).secret_key, test_keys(1).secret_key);
  EXPECT_NE(test_keys(1).public_key, test_keys(2).public_key);
  EXPECT_EQ(kind_of([] { keys_from_seed(core::Bytes(31)); }), ErrorKind::InvalidArgument);
}

TEST_F(Keys, AreMadeOnceAndReadAgain) {
  const KeyPair made = load_or_create_keys(folder());
  const KeyPair again = load_or_create_keys(folder());
  EXPECT_EQ(again.secret_key, made.secret_key);
  EXPECT_EQ(again.public_key, made.public_key);
  EXPECT_EQ(read_public_key(public_file()), made.public_key);
  const Release release = sign(sample_manifest(), sample_artefact(), again);
  EXPECT_NO_THROW(verify(release, made.public_key, kInstalled, at_ms(1500)));
  // Nothing temporary stays.
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), {}), 2);
}

TEST_F(Keys, AreReadableByTheirOwnerAlone) {
  const mode_t before = ::umask(0);
  load_or_create_keys(folder());
  ::umask(before);
  struct stat status = {};
  ASSERT_EQ(::stat(key_file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(Keys, AreRefusedWhenOthersMayReadThem) {
  load_or_create_keys(folder());
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0644U}) {
    ASSERT_EQ(::chmod(key_file().c_str(), mode), 0);
    EXPECT_EQ(load_kind(), ErrorKind::Refused) << mode;
  }
  ASSERT_EQ(::chmod(key_file().c_str(), 0600), 0);
  EXPECT_NO_THROW(load_or_create_keys(folder()));
}

TEST_F(Keys, EveryAlteredByteOfTheKeyFileIsFound) {
  load_or_create_keys(folder());
  const std::string good = core::read_text(key_file());
  ASSERT_EQ(good.size(), 89U);  // 64 bytes in base64 and a line's end
  for (size_t i = 0; i < good.size(); ++i) {
    std::string altered = good;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    overwrite(key_file(), altered);
    EXPECT_EQ(load_kind(), ErrorKind::Corrupt) << i;
    EXPECT_EQ(core::read_text(key_file()), altered);  // never replaced by new keys
  }
}

TEST_F(Keys, EveryAlteredByteOfThePublicFileIsFound) {
  load_or_create_keys(folder());
  const std::string good = core::read_text(public_file());
  ASSERT_EQ(good.size(), 45U);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string altered = good;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    overwrite(public_file(), altered);
    EXPECT_EQ(load_kind(), ErrorKind::Corrupt) << i;
  }
}

TEST_F(Keys, TruncatedEmptyOrForeignFilesAreFound) {
  load_or_create_keys(folder());
  const std::string secret = core::read_text(key_file());
  for (const std::string& text :
       {std::string(), secret.substr(0, 40), secret + "AAAA\n", std::string("\n")}) {
    overwrite(key_file(), text);
    EXPECT_EQ(load_kind(), ErrorKind::Corrupt) << text;
  }
  overwrite(key_file(), secret);
  const fs::path other = temporary_.path() / "other";
  load_or_create_keys(other);
  fs::copy_file(other / "release.pub", public_file(), fs::copy_options::overwrite_existing);
  EXPECT_EQ(load_kind(), ErrorKind::Corrupt);
}

TEST_F(Keys, AMissingPublicFileIsMadeAnew) {
  const KeyPair made = load_or_create_keys(folder());
  fs::remove(public_file());
  EXPECT_EQ(load_or_create_keys(folder()).secret_key, made.secret_key);
  EXPECT_EQ(read_public_key(public_file()), made.public_key);
}

TEST_F(Keys, AMissingKeyFileIsNotReplaced) {
  load_or_create_keys(folder());
  fs::remove(key_file());
  EXPECT_EQ(load_kind(), ErrorKind::NotFound);
  EXPECT_FALSE(fs::exists(key_file()));
}

TEST_F(Keys, AreTheSameForAllWhoMakeThemAtOnce) {
  for (int round = 0; round < 10; ++round) {
    const fs::path fresh = temporary_.path() / std::to_string(round);
    std::vector<KeyPair> made(8);
    std::vector<std::thread> threads;
    for (KeyPair& keys : made) {
      threads.emplace_back([&] { keys = load_or_create_keys(fresh); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    for (const KeyPair& keys : made) {
      EXPECT_EQ(keys.secret_key, made.front().secret_key);
    }
    EXPECT_EQ(load_or_create_keys(fresh).secret_key, made.front().secret_key);
  }
}

TEST_F(Keys, TellWhenTheFolderCannotBe) {
  overwrite(folder(), "a file");
  EXPECT_EQ(load_kind(), ErrorKind::Io);
  EXPECT_EQ(kind_of([&] { read_public_key(temporary_.path() / "none"); }), ErrorKind::NotFound);
}

}  // namespace
}  // namespace coppice::release
