// What `coppice` tells about itself and about the configurations that come with it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "system/program.h"

namespace coppice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Outcome coppice(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), COPPICE);
  return run_program(arguments);
}

std::vector<fs::path> experiment_files() {
  std::vector<fs::path> files;
  for (const char* kind : {"loop", "sweeps", "train"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(CONFIGS) / kind)) {
      files.push_back(entry.path());
    }
  }
  return files;
}

TEST(Commands, EveryConfigurationThatComesWithItIsValid) {
  const auto files = experiment_files();
  ASSERT_GE(files.size(), 4);
  for (const fs::path& file : files) {
    const Outcome outcome = coppice({"check", file.string()});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    EXPECT_EQ(outcome.error, "");
    EXPECT_THAT(outcome.out, HasSubstr("seed: "));
  }
}

TEST(Commands, TheResolvedConfigurationIsOneItself) {
  const core::TemporaryFolder folder;
  for (const char* name : {"loop/fashion-mnist.yaml", "train/fashion-mnist.yaml"}) {
    const Outcome first =
        coppice({"check", (fs::path(CONFIGS) / name).string(), "--set", "seed=7"});
    const fs::path file = folder.path() / "resolved.yaml";
    core::write_file(file, first.out);
    EXPECT_THAT(first.out, HasSubstr("seed: 7"));
    const Outcome again = coppice({"check", file.string()});
    EXPECT_EQ(again.exit_code, 0) << again.error;
    EXPECT_TRUE(again.out == first.out) << name;
  }
}

TEST(Commands, TheHelpOfEverySubCommandIsComplete) {
  const Outcome all = coppice({"--help"});
  EXPECT_EQ(all.exit_code, 0);
  const std::map<std::string, std::vector<std::string>> options{
      {"run", {"FILE", "--set", "--out", "--cache", "--trainer", "--resume", "--fresh"}},
      {"check", {"FILE", "--set", "--schema", "--reference"}},
      {"list", {"KIND"}}};
  for (const auto& [command, names] : options) {
    EXPECT_THAT(all.out, HasSubstr(command));
    const Outcome help = coppice({command, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    for (const std::string& name : names) {
      EXPECT_THAT(help.out, HasSubstr(name));
    }
  }
}

TEST(Commands, ListNamesComponentsOfEveryKind) {
  const Outcome all = coppice({"list"});
  EXPECT_EQ(all.exit_code, 0);
  for (const char* name : {"cnn", "rotate", "l2", "random", "page_hinkley", "onednn", "Conv"}) {
    EXPECT_THAT(all.out, HasSubstr(std::string("\n  ") + name + " "));
  }
  EXPECT_THAT(coppice({"list", "models"}).out, StartsWith("models\n"));
  expect_error_line(coppice({"list", "model"}), 3, HasSubstr("did you mean 'models'"));
}

TEST(Commands, SchemaAndReferenceDescribeEveryKind) {
  for (const char* kind : {"train", "loop", "sweep"}) {
    const Outcome schema = coppice({"check", "--schema", kind});
    EXPECT_EQ(schema.exit_code, 0);
    const auto json = nlohmann::json::parse(schema.out, nullptr, false);
    ASSERT_TRUE(json.is_object());
    EXPECT_TRUE(json.at("properties").contains("seed"));
    EXPECT_THAT(coppice({"check", "--reference", kind}).out, HasSubstr("seed"));
  }
  expect_error_line(coppice({"check", "--schema", "lop"}), 2, HasSubstr("did you mean 'loop'"));
}

TEST(Commands, WrongArgumentsAreRefused) {
  EXPECT_EQ(coppice({}).exit_code, 2);
  EXPECT_EQ(coppice({"rnu"}).exit_code, 2);
  EXPECT_EQ(coppice({"run"}).exit_code, 2);
  EXPECT_EQ(coppice({"run", "a.yaml", "--resmue"}).exit_code, 2);
  expect_error_line(coppice({"check"}), 2, HasSubstr("FILE"));
}

}  // namespace
}  // namespace coppice::testing
