#include "jobs/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"

namespace coppice::jobs {
namespace {

namespace fs = std::filesystem;
using core::Error;
using core::ErrorKind;

class RunDirectoryTest : public ::testing::Test {
 protected:
  static void finish(const RunDirectory& run) {
    core::write_file(run.path() / "summary.json", "{}");
  }

  core::TemporaryFolder folder_;
  fs::path root_ = folder_.path() / "runs";
  std::string config_ = "seed: 1\n";
};

TEST_F(RunDirectoryTest, IsNamedByNameTimeAndHash) {
  const auto run = RunDirectory::create(root_, "fashion-mnist", config_);
  EXPECT_THAT(run.path().filename().string(),
              ::testing::MatchesRegex("fashion-mnist-[0-9]{8}-[0-9]{6}-" +
                                      core::sha256(config_).substr(0, 8)));
  EXPECT_EQ(core::read_text(run.path() / "config.yaml"), config_);
  EXPECT_FALSE(run.finished());
  finish(run);
  EXPECT_TRUE(run.finished());
}

TEST_F(RunDirectoryTest, TwoWithinASecondAreTwo) {
  const auto first = RunDirectory::create(root_, "a", config_);
  const auto second = RunDirectory::create(root_, "a", config_);
  EXPECT_NE(first.path(), second.path());
}

TEST_F(RunDirectoryTest, FindsTheNewestUnfinished) {
  const std::string hash = core::sha256(config_).substr(0, 8);
  EXPECT_FALSE(RunDirectory::find_unfinished(root_, "a", config_));
  for (const std::string time : {"20260101-000000", "20260301-120000", "20260301-115959"}) {
    fs::create_directories(root_ / ("a-" + time + "-" + hash));
    core::write_file(root_ / ("a-" + time + "-" + hash) / "config.yaml", config_);
  }
  for (const char* copy : {"-2", "-9", "-10"}) {
    fs::create_directories(root_ / ("a-20260301-120000-" + hash + copy));
    core::write_file(root_ / ("a-20260301-120000-" + hash + copy) / "config.yaml", config_);
  }
  const auto name = [&] {
    return RunDirectory::find_unfinished(root_, "a", config_)->path().filename().string();
  };
  EXPECT_EQ(name(), "a-20260301-120000-" + hash + "-10");
  for (const char* copy : {"-10", "-9", "-2", ""}) {
    EXPECT_EQ(name(), "a-20260301-120000-" + hash + copy);
    core::write_file(root_ / name() / "summary.json", "{}");
  }
  EXPECT_EQ(name(), "a-20260301-115959-" + hash);
}

TEST_F(RunDirectoryTest, OtherNamesAndConfigsAreNotFound) {
  RunDirectory::create(root_, "a-b", config_);
  RunDirectory::create(root_, "a", "seed: 2\n");
  EXPECT_FALSE(RunDirectory::find_unfinished(root_, "a", config_));
  EXPECT_TRUE(RunDirectory::find_unfinished(root_, "a-b", config_));
}

TEST_F(RunDirectoryTest, OpensAFolderOfTheSameRun) {
  const fs::path folder = folder_.path() / "deep" / "mine";
  RunDirectory::open(folder, config_);
  core::write_file(folder / "log.txt", "x");
  EXPECT_EQ(RunDirectory::open(folder, config_).path(), folder);
  EXPECT_EQ(core::read_text(folder / "log.txt"), "x");
}

TEST_F(RunDirectoryTest, RefusesAFolderOfAnotherRun) {
  RunDirectory::open(root_, config_);
  const auto kind = [&](const fs::path& folder) {
    try {
      RunDirectory::open(folder, "seed: 2\n");
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::Internal;
  };
  EXPECT_EQ(kind(root_), ErrorKind::Refused);
  EXPECT_EQ(core::read_text(root_ / "config.yaml"), config_);
  fs::create_directories(folder_.path() / "photos");
  core::write_file(folder_.path() / "photos" / "a.png", "x");
  EXPECT_EQ(kind(folder_.path() / "photos"), ErrorKind::Refused);
  EXPECT_EQ(kind(folder_.path() / "photos" / "a.png"), ErrorKind::Io);
}

TEST_F(RunDirectoryTest, RefusesNamesWithSlashes) {
  EXPECT_THROW(RunDirectory::create(root_, "../a", config_), Error);
}

TEST_F(RunDirectoryTest, ProvenanceTellsWhereTheNumbersCameFrom) {
  const auto run = RunDirectory::create(root_, "a", config_);
  run.write_provenance({{"seed", "7"}, {"dataset.fashion", "abc"}});
  const auto rows = nlohmann::json::parse(core::read_text(run.path() / "provenance.json"));
  EXPECT_EQ(rows.at("seed"), "7");
  EXPECT_EQ(rows.at("dataset.fashion"), "abc");
  for (const char* name : {"version",
                           "host",
                           "cpu",
                           "cores",
                           "system",
                           "time",
                           "compiler",
                           "library.sqlite",
                           "library.glibc",
                           "library.fmt",
                           "library.nlohmann_json"}) {
    ASSERT_TRUE(rows.contains(name)) << name;
    EXPECT_FALSE(rows.at(name).get<std::string>().empty()) << name;
  }
  EXPECT_THAT(rows.at("library.sqlite").get<std::string>(), ::testing::StartsWith("3."));
}

}  // namespace
}  // namespace coppice::jobs
