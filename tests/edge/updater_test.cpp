#include "edge/updater.h"

#include <csignal>
#include <new>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "edge/samples.h"

namespace coppice::edge {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::noise;

release::KeyPair keys(int fill = 7) {
  return release::keys_from_seed(core::Bytes(32, static_cast<std::byte>(fill)));
}

release::Manifest manifest(uint64_t counter) {
  release::Manifest m;
  m.name = "model";
  m.counter = counter;
  m.reason = "retrain";
  return m;
}

release::Release make_release(uint64_t counter, core::Bytes artefact) {
  return release::sign(manifest(counter), std::move(artefact), keys());
}

link::ReleaseOffer offer_of(const release::Release& release) {
  return {release.manifest, release.signature};
}

/// A disk that takes no file above `bytes`, as long as it lives.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit full = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &full);
  }

  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_ = {};
};

class UpdaterTest : public ::testing::Test {
 protected:
  UpdaterTest() { restart(); }

  void restart() {
    in_service_.clear();
    updater_.emplace(folder_.path() / "release",
                     keys().public_key,
                     clock_,
                     [this](std::span<const std::byte> artefact) {
                       if (on_try_) {
                         on_try_();
                       }
                       return [this, hash = core::sha256(artefact)] {
                         in_service_ = hash;
                       };
                     });
    updater_->start();
  }

  /// Answers as the cloud would, with the artefact's bytes as they are given.
  void serve(const core::Bytes& artefact) {
    while (const auto wanted = updater_->wanted()) {
      const auto total = std::ssize(artefact);
      const auto end = std::min(total, wanted->offset + wanted->size);
      if (wanted->offset >= end) {
        return;
      }
      updater_->chunk({wanted->artefact_hash,
                       wanted->offset,
                       {artefact.begin() + wanted->offset, artefact.begin() + end},
                       total});
    }
  }

  void deliver(const release::Release& release) {
    updater_->offer(offer_of(release));
    serve(release.artefact);
  }

  fs::path incoming() const { return folder_.path() / "release" / "incoming"; }

  int64_t parts() const { return std::distance(fs::directory_iterator(incoming()), {}); }

  /// What is installed, in memory and on disk, now and after a restart.
  void expect_installed(const release::Release& release, uint64_t counter) {
    for (int life = 0; life < 2; ++life) {
      EXPECT_EQ(updater_->counter(), counter);
      EXPECT_EQ(in_service_, core::sha256(release.artefact));
      const auto there = release::read_release(folder_.path() / "release" / "current");
      EXPECT_EQ(there.manifest, release.manifest);
      EXPECT_EQ(there.signature, release.signature);
      EXPECT_EQ(there.artefact, release.artefact);
      restart();
    }
  }

  void expect_refused(uint64_t counter, const std::string& why) {
    const auto refusal = updater_->take_refusal();
    ASSERT_TRUE(refusal.has_value()) << why;
    EXPECT_EQ(refusal->counter, counter) << refusal->why;
    EXPECT_THAT(refusal->why, HasSubstr(why));
    EXPECT_FALSE(updater_->wanted().has_value());
    EXPECT_EQ(parts(), 0);
  }

  core::TemporaryFolder folder_;
  core::VirtualClock clock_{core::Timestamp{std::chrono::days{20000}}};
  std::function<void()> on_try_;
  std::string in_service_;
  std::optional<Updater> updater_;
};

TEST_F(UpdaterTest, InstallsInChunks) {
  EXPECT_EQ(updater_->counter(), 0U);
  const auto release = make_release(1, noise(200000, 1));
  updater_->offer(offer_of(release));
  std::vector<int64_t> offsets;
  while (const auto wanted = updater_->wanted()) {
    EXPECT_EQ(wanted->artefact_hash, core::sha256(release.artefact));
    EXPECT_LE(wanted->offset + wanted->size, 200000);
    offsets.push_back(wanted->offset);
    const auto begin = release.artefact.begin() + wanted->offset;
    updater_->chunk({wanted->artefact_hash, wanted->offset, {begin, begin + wanted->size}, 200000});
  }
  EXPECT_THAT(offsets, ElementsAre(0, 65536, 131072, 196608));
  EXPECT_FALSE(updater_->take_refusal().has_value());
  EXPECT_EQ(parts(), 0);
  expect_installed(release, 1);
  const auto next = make_release(2, noise(100, 2));
  deliver(next);
  expect_installed(next, 2);
}

TEST_F(UpdaterTest, RepeatedLateAndForeignChunksChangeNothing) {
  const auto release = make_release(1, noise(200000, 1));
  const std::string hash = core::sha256(release.artefact);
  const auto chunk = [&](int64_t offset, int64_t size) {
    const auto begin = release.artefact.begin() + offset;
    return link::Chunk{hash, offset, {begin, begin + size}, 200000};
  };
  updater_->chunk(chunk(0, 100));  // before any offer
  updater_->offer(offer_of(release));
  updater_->chunk(chunk(0, 70000));
  updater_->chunk(chunk(0, 70000));
  updater_->chunk(chunk(100000, 100));
  updater_->chunk(chunk(70000, 0));
  updater_->chunk({core::sha256("other"), 70000, core::Bytes(10), 200000});
  updater_->offer(offer_of(release));
  EXPECT_EQ(updater_->wanted()->offset, 70000);
  serve(release.artefact);
  updater_->chunk(chunk(0, 100));
  EXPECT_FALSE(updater_->take_refusal().has_value());
  expect_installed(release, 1);
}

TEST_F(UpdaterTest, GoesOnAfterARestart) {
  const auto release = make_release(1, noise(200000, 1));
  updater_->offer(offer_of(release));
  const auto begin = release.artefact.begin();
  updater_->chunk({core::sha256(release.artefact), 0, {begin, begin + 70000}, 200000});
  restart();
  EXPECT_FALSE(updater_->wanted().has_value()) << "until the cloud offers it again";
  updater_->offer(offer_of(release));
  EXPECT_EQ(updater_->wanted()->offset, 70000);
  serve(release.artefact);
  expect_installed(release, 1);
}

TEST_F(UpdaterTest, WhatWasFetchedBeforeARestartIsVerifiedToo) {
  const auto release = make_release(1, noise(200000, 1));
  core::write_file(incoming() / (core::sha256(release.artefact) + ".part"), noise(70000, 2));
  deliver(release);
  expect_refused(1, "artefact differs");
  deliver(release);
  expect_installed(release, 1);
}

TEST_F(UpdaterTest, APartThatIsTooLongIsFetchedAnew) {
  const auto release = make_release(1, noise(1000, 1));
  core::write_file(incoming() / (core::sha256(release.artefact) + ".part"), noise(1001, 2));
  deliver(release);
  expect_installed(release, 1);
}

TEST_F(UpdaterTest, AnyAlteredByteIsRefusedAndTheInstalledReleaseStays) {
  const auto old = make_release(1, noise(300, 1));
  deliver(old);
  const auto good = make_release(2, noise(400, 2));
  const auto try_altered = [&](core::Bytes release::Release::*part, uint64_t counter) {
    for (size_t i = 0; i < (good.*part).size(); ++i) {
      for (const std::byte bit : {std::byte{1}, std::byte{128}}) {
        release::Release bad = good;
        (bad.*part)[i] ^= bit;
        deliver(bad);
        expect_refused(counter, "release refused");
        ASSERT_EQ(updater_->counter(), 1U) << "byte " << i;
        ASSERT_EQ(in_service_, core::sha256(old.artefact));
      }
    }
  };
  try_altered(&release::Release::manifest, 0);
  try_altered(&release::Release::signature, 0);
  try_altered(&release::Release::artefact, 2);
  expect_installed(old, 1);
  deliver(good);
  expect_installed(good, 2);
}

TEST_F(UpdaterTest, AnotherPublisherIsRefused) {
  deliver(release::sign(manifest(1), noise(100, 1), keys(8)));
  expect_refused(0, "signature");
  EXPECT_EQ(updater_->counter(), 0U);
}

TEST_F(UpdaterTest, AnArtefactThatIsTooLongIsRefused) {
  const auto release = make_release(1, noise(100, 1));
  updater_->offer(offer_of(release));
  updater_->chunk({core::sha256(release.artefact), 0, noise(101, 1), 101});
  expect_refused(1, "longer");
}

TEST_F(UpdaterTest, AnOlderOrEqualCounterIsRefused) {
  const auto installed = make_release(5, noise(100, 1));
  deliver(installed);
  deliver(make_release(4, noise(100, 2)));
  expect_refused(4, "counter");
  deliver(make_release(5, noise(100, 3)));
  expect_refused(5, "counter");
  expect_installed(installed, 5);
  deliver(make_release(4, noise(100, 2)));
  expect_refused(4, "counter");
}

TEST_F(UpdaterTest, AnOfferOfWhatIsInstalledIsNoUpdate) {
  const auto release = make_release(5, noise(100, 1));
  deliver(release);
  updater_->offer(offer_of(release));
  EXPECT_FALSE(updater_->take_refusal().has_value());
  EXPECT_FALSE(updater_->wanted().has_value());
}

TEST_F(UpdaterTest, AnExpiredReleaseIsRefused) {
  release::Manifest m = manifest(1);
  m.expires_ms = core::to_millis(clock_.now() + 1h);
  const auto release = release::sign(m, noise(100, 1), keys());
  updater_->offer(offer_of(release));
  clock_.advance(1h);  // while it is fetched
  serve(release.artefact);
  expect_refused(1, "expired");
  updater_->offer(offer_of(release));
  expect_refused(1, "expired");
  EXPECT_EQ(updater_->counter(), 0U);
}

TEST_F(UpdaterTest, WhatIsInstalledDoesNotExpire) {
  release::Manifest m = manifest(1);
  m.expires_ms = core::to_millis(clock_.now() + 1h);
  const auto release = release::sign(m, noise(100, 1), keys());
  deliver(release);
  clock_.advance(2h);
  expect_installed(release, 1);
  EXPECT_FALSE(updater_->take_refusal().has_value());
}

TEST_F(UpdaterTest, ANewerRuntimeIsRefused) {
  release::Manifest m = manifest(1);
  m.required_runtime = "2";
  deliver(release::sign(m, noise(100, 1), keys()));
  expect_refused(0, "newer runtime");
}

TEST_F(UpdaterTest, WhatCanNotBeRunIsRefused) {
  const auto old = make_release(1, noise(100, 1));
  deliver(old);
  const auto next = make_release(2, noise(100, 2));
  on_try_ = [] {
    throw core::Error(core::ErrorKind::Unsupported, "node 'x': op Y is not handled");
  };
  deliver(next);
  expect_refused(2, "op Y");
  on_try_ = [] {
    throw std::bad_alloc();
  };
  deliver(next);
  expect_refused(2, "bad_alloc");
  on_try_ = nullptr;
  expect_installed(old, 1);
}

TEST_F(UpdaterTest, AFullDiskWhileFetchingIsRefused) {
  const auto old = make_release(1, noise(100, 1));
  deliver(old);
  const auto next = make_release(2, noise(200000, 2));
  {
    const FullDisk disk(100000);
    deliver(next);
    expect_refused(2, "File too large");
  }
  expect_installed(old, 1);
  deliver(next);
  expect_installed(next, 2);
}

TEST_F(UpdaterTest, AFullDiskWhileInstallingIsRefused) {
  const auto old = make_release(1, noise(100, 1));
  deliver(old);
  const auto next = make_release(2, noise(200000, 2));
  {
    std::optional<FullDisk> disk;
    on_try_ = [&] {
      disk.emplace(100000);
    };
    deliver(next);
    expect_refused(2, "File too large");
    on_try_ = nullptr;
  }
  expect_installed(old, 1);
  deliver(next);
  expect_installed(next, 2);
}

TEST_F(UpdaterTest, ABadOfferDoesNotDisturbADownload) {
  const auto release = make_release(2, noise(200000, 1));
  updater_->offer(offer_of(release));
  const auto begin = release.artefact.begin();
  updater_->chunk({core::sha256(release.artefact), 0, {begin, begin + 70000}, 200000});
  auto bad = offer_of(make_release(3, noise(100, 2)));
  bad.signature[0] ^= std::byte{1};
  updater_->offer(bad);
  EXPECT_TRUE(updater_->take_refusal().has_value());
  updater_->offer(offer_of(make_release(1, noise(100, 3))));
  EXPECT_FALSE(updater_->take_refusal().has_value()) << "older than what is on its way";
  EXPECT_EQ(updater_->wanted()->offset, 70000);
  serve(release.artefact);
  expect_installed(release, 2);
}

TEST_F(UpdaterTest, ANewerOfferReplacesADownload) {
  const auto first = make_release(1, noise(200000, 1));
  updater_->offer(offer_of(first));
  const auto begin = first.artefact.begin();
  updater_->chunk({core::sha256(first.artefact), 0, {begin, begin + 70000}, 200000});
  const auto second = make_release(2, noise(200000, 2));
  updater_->offer(offer_of(second));
  EXPECT_EQ(parts(), 0) << "nobody goes on with the first";
  updater_->chunk({core::sha256(first.artefact), 70000, {begin, begin + 70000}, 200000});
  serve(second.artefact);
  expect_installed(second, 2);
}

TEST_F(UpdaterTest, ARollbackToWhatIsHereFetchesNothing) {
  const auto first = make_release(1, noise(100, 1));
  deliver(first);
  const auto again = make_release(3, first.artefact);
  updater_->offer(offer_of(again));
  EXPECT_FALSE(updater_->take_refusal().has_value());
  expect_installed(again, 3);
}

TEST_F(UpdaterTest, ADamagedInstallationIsReportedAndRepairedButNotByAnOlderRelease) {
  const auto release = make_release(5, noise(100, 1));
  deliver(release);
  const auto file = folder_.path() / "release" / "current" / "model.onnx";
  core::write_file(file, noise(100, 2));
  restart();
  EXPECT_EQ(updater_->counter(), 0U);
  EXPECT_THAT(in_service_, IsEmpty());
  expect_refused(0, "can't be used");
  deliver(make_release(4, noise(100, 3)));
  expect_refused(4, "counter");
  deliver(release);
  expect_installed(release, 5);
}

}  // namespace
}  // namespace coppice::edge
