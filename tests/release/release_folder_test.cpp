#include <csignal>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "release/release.h"
#include "release/sample.h"

namespace coppice::release {
namespace {

namespace fs = std::filesystem;
using core::ErrorKind;

bool same(const Release& a, const Release& b) {
  return a.manifest == b.manifest && a.signature == b.signature && a.artefact == b.artefact;
}

Release make_release(uint64_t counter, size_t artefact_bytes = 300) {
  Manifest m = sample_manifest();
  m.counter = counter;
  return sign(m, sample_artefact(artefact_bytes), test_keys());
}

class ReleaseFolder : public testing::Test {
 protected:
  fs::path folder() const { return temporary_.path() / "release"; }

  int64_t entries() const { return std::distance(fs::directory_iterator(temporary_.path()), {}); }

  core::TemporaryFolder temporary_;
};

TEST_F(ReleaseFolder, IsReadAsItWasWritten) {
  const Release release = make_release(5);
  write_release(release, folder());
  EXPECT_TRUE(same(read_release(folder()), release));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), {}), 3);
  EXPECT_EQ(entries(), 1);
  EXPECT_EQ(core::sha256_file(folder() / "model.onnx"), core::sha256(release.artefact));
}

TEST_F(ReleaseFolder, MakesItsParentsAndTakesATrailingSlash) {
  const Release release = make_release(5);
  const fs::path deep = temporary_.path() / "a" / "b" / "";
  write_release(release, deep);
  EXPECT_TRUE(same(read_release(temporary_.path() / "a" / "b"), release));
}

TEST_F(ReleaseFolder, IsExchangedForANewerRelease) {
  write_release(make_release(5), folder());
  write_release(make_release(6, 400), folder());
  EXPECT_TRUE(same(read_release(folder()), make_release(6, 400)));
  EXPECT_EQ(entries(), 1);
}

TEST_F(ReleaseFolder, NeverReplacesAnythingElse) {
  fs::create_directory(folder());
  std::ofstream(folder() / "thesis.tex") << "years of work";
  EXPECT_EQ(kind_of([&] { write_release(make_release(5), folder()); }), ErrorKind::Refused);
  EXPECT_EQ(core::read_text(folder() / "thesis.tex"), "years of work");

  const fs::path file = temporary_.path() / "file";
  for (const char* text : {"text", ""}) {
    std::ofstream(file, std::ios::trunc) << text;
    EXPECT_EQ(kind_of([&] { write_release(make_release(5), file); }), ErrorKind::Refused);
    EXPECT_EQ(core::read_text(file), text);
  }

  const fs::path link = temporary_.path() / "link";
  fs::create_symlink(temporary_.path() / "nowhere", link);
  EXPECT_EQ(kind_of([&] { write_release(make_release(5), link); }), ErrorKind::Refused);
  EXPECT_EQ(entries(), 3);
}

TEST_F(ReleaseFolder, FillsAnEmptyFolder) {
  fs::create_directory(folder());
  write_release(make_release(5), folder());
  EXPECT_TRUE(same(read_release(folder()), make_release(5)));
}

TEST_F(ReleaseFolder, TellsWhenItsParentIsAFile) {
  std::ofstream(temporary_.path() / "file") << "text";
  EXPECT_EQ(
      kind_of([&] { write_release(make_release(5), temporary_.path() / "file" / "release"); }),
      ErrorKind::NotFound);
}

TEST_F(ReleaseFolder, SurvivesAFullDisk) {
  write_release(make_release(5), folder());
  // A limit on file sizes stands in for the full disk: the third file fails half-way.
  struct rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small = {4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Release large = make_release(6, 100000);
  const ErrorKind kind = kind_of([&] { write_release(large, folder()); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(kind, ErrorKind::Io);
  EXPECT_TRUE(same(read_release(folder()), make_release(5)));
  EXPECT_EQ(entries(), 1);
}

TEST_F(ReleaseFolder, AnyByteFlippedOnDiskIsRefused) {
  write_release(make_release(5, 64), folder());
  for (const char* name : {"manifest.json", "manifest.sig", "model.onnx"}) {
    const std::string good = core::read_text(folder() / name);
    for (size_t i = 0; i < good.size(); ++i) {
      std::string altered = good;
      altered[i] = static_cast<char>(altered[i] ^ 0x10);
      std::ofstream(folder() / name, std::ios::binary) << altered;
      ASSERT_EQ(kind_of([&] {
                  verify(read_release(folder()), test_keys().public_key, kInstalled, at_ms(1500));
                }),
                ErrorKind::Refused)
          << name << " byte " << i;
    }
    std::ofstream(folder() / name, std::ios::binary) << good;
  }
  EXPECT_NO_THROW(verify(read_release(folder()), test_keys().public_key, kInstalled, at_ms(1500)));
}

TEST_F(ReleaseFolder, NamesAMissingFile) {
  EXPECT_EQ(kind_of([&] { read_release(folder()); }), ErrorKind::NotFound);
  for (const char* name : {"manifest.json", "manifest.sig", "model.onnx"}) {
    write_release(make_release(5), folder());
    fs::remove(folder() / name);
    EXPECT_EQ(kind_of([&] { read_release(folder()); }), ErrorKind::NotFound) << name;
  }
}

}  // namespace
}  // namespace coppice::release
