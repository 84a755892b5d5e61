// `coppice data import | inspect | diff | split`, as a user calls them.

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/exit_code.h"
#include "core/files.h"
#include "system/program.h"

namespace coppice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DataCommands : public ::testing::Test {
 protected:
  DataCommands() {
    std::string table = "device,x,y,class\n";
    for (int i = 0; i < 100; ++i) {
      table += "d" + std::to_string(i % 10) + "," + std::to_string(i) + "," +
               std::to_string(i * i % 37) + "," + (i % 4 == 0 ? "cat" : "dog") + "\n";
    }
    core::write_file(folder_.path() / "t.csv", table);
    core::write_file(folder_.path() / "t.yaml",
                     "name: toy\nsource: a test\nparts:\n  - name: all\n    source: {format: csv, "
                     "files: [t.csv], csv: {label: class, columns: [device]}}\n");
  }

  Outcome data(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {COPPICE, "data"});
    return run_program(arguments, {.working_folder = folder_.path()});
  }

  /// The hash of the version that comes of the table.
  std::string import_hash() const {
    const Outcome outcome = data({"import", "t.yaml", "--json"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
    return nlohmann::json::parse(outcome.out).at(0).at("hash").get<std::string>();
  }

  static int code(core::ErrorKind kind) { return core::exit_code(kind); }

  core::TemporaryFolder folder_;
};

TEST_F(DataCommands, ImportWritesAVersionAndFindsItAgain) {
  const Outcome first = data({"import", "t.yaml"});
  EXPECT_EQ(first.exit_code, 0) << first.error;
  EXPECT_EQ(first.error, "");
  EXPECT_THAT(first.out, AllOf(HasSubstr("all"), HasSubstr("100"), HasSubstr("2 classes")));
  EXPECT_EQ(data({"import", "t.yaml"}).out, first.out);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path() / "data/versions"), {}), 1);
}

TEST_F(DataCommands, InspectShowsWhatIsInAVersion) {
  const std::string hash = import_hash();
  const Outcome text = data({"inspect", hash.substr(0, 8)});
  EXPECT_EQ(text.exit_code, 0) << text.error;
  EXPECT_THAT(text.out,
              AllOf(HasSubstr(hash), HasSubstr("device"), HasSubstr("75.00%"), HasSubstr("f32")));
  const auto json = nlohmann::json::parse(data({"inspect", hash, "--json"}).out);
  EXPECT_EQ(json.at("class_counts"), (std::vector{25, 75}));
  EXPECT_EQ(json.at("origin").at("dataset"), "toy");
  const auto checked = data({"inspect", hash, "--low", "0", "--high", "50", "--json"});
  EXPECT_EQ(nlohmann::json::parse(checked.out).at("out_of_range"), 49);
}

TEST_F(DataCommands, SplitKeepsGroupsApartAndNamesTheWholeAsParent) {
  const std::string hash = import_hash();
  const Outcome outcome = data({"split",
                                hash,
                                "--method",
                                "grouped",
                                "--column",
                                "device",
                                "--part",
                                "train=0.7",
                                "--part",
                                "test=0.3"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("70.0 %"), HasSubstr("30.0 %")));
  size_t parts = 0;
  for (const auto& entry : fs::directory_iterator(folder_.path() / "data/versions")) {
    const auto json = nlohmann::json::parse(data({"inspect", entry.path().string(), "--json"}).out);
    if (json.at("hash") != hash) {
      EXPECT_THAT(json.at("parents"), ElementsAre(hash));
      ++parts;
    }
  }
  EXPECT_EQ(parts, 2U);
  expect_error_line(data({"split", hash, "--method", "grouped", "--column", "devise"}),
                    code(core::ErrorKind::NotFound),
                    HasSubstr("did you mean 'device'?"));
  expect_error_line(data({"split", hash, "--part", "train"}),
                    code(core::ErrorKind::InvalidArgument),
                    HasSubstr("write train=0.8"));
}

TEST_F(DataCommands, DiffTellsWhatChanged) {
  const std::string before = import_hash();
  std::string table(core::read_text(folder_.path() / "t.csv"));
  table.resize(table.rfind('\n', table.size() - 2) + 1);  // without its last row
  core::write_file(folder_.path() / "t.csv", table + "d1,7000,3,cat\n");
  const std::string after = import_hash();
  const Outcome text = data({"diff", before, after});
  EXPECT_EQ(text.exit_code, 0) << text.error;
  EXPECT_THAT(text.out, HasSubstr("kept 99 (relabelled 0), removed 1, added 1"));
  const auto json = nlohmann::json::parse(data({"diff", before, after, "--json"}).out);
  EXPECT_EQ(json.at("values").at(0).at("name"), "x");
  const Outcome child = data({"import", "t.yaml", "--parent", before});
  EXPECT_THAT(child.out, HasSubstr("all against its parent: samples 100 -> 100: kept 99"));
}

TEST_F(DataCommands, ErrorsAreOneLineWithPlaceAndWayOut) {
  expect_error_line(
      data({"import", "u.yaml"}), code(core::ErrorKind::NotFound), HasSubstr("u.yaml"));
  expect_error_line(data({"inspect", "abc"}),
                    code(core::ErrorKind::NotFound),
                    HasSubstr("give a file, or more digits"));
  expect_error_line(data({"import", "t.yaml", "--part", "al"}),
                    code(core::ErrorKind::NotFound),
                    HasSubstr("did you mean 'all'?"));
  expect_error_line(data({"import", "t.yaml", "--set", "parts.0.source.csv.labl=class"}),
                    code(core::ErrorKind::Config),
                    HasSubstr("labl"));
  core::write_file(folder_.path() / "t.csv", "device,x,y,class\nd1,1,2,cat\nd1,1,dog\n");
  expect_error_line(data({"import", "t.yaml"}),
                    code(core::ErrorKind::Corrupt),
                    HasSubstr("t.csv: line 3: 3 columns where there must be 4"));
  EXPECT_EQ(data({}).exit_code, 2);
}

TEST_F(DataCommands, HelpIsComplete) {
  const std::map<std::string, std::vector<std::string>> options{
      {"import", {"MANIFEST", "--from", "--versions", "--part", "--parent", "--set", "--json"}},
      {"inspect", {"VERSION", "--versions", "--low", "--high", "--most-duplicates", "--json"}},
      {"diff", {"BEFORE", "AFTER", "--psi", "--significance", "--bins", "--json"}},
      {"split", {"VERSION", "--method", "--column", "--part", "--seed", "--options"}}};
  for (const auto& [command, names] : options) {
    const Outcome help = data({command, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    for (const std::string& name : names) {
      EXPECT_THAT(help.out, HasSubstr(name)) << command;
    }
  }
}

}  // namespace
}  // namespace coppice::testing
