// What `coppice run` makes of experiment files and data that are wrong.

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/gzip.h"
#include "system/program.h"
#include "system/tiny_experiment.h"

namespace coppice::testing {
namespace {

namespace fs = std::filesystem;
using core::test::gzip;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Message = ::testing::Matcher<const std::string&>;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

/// "file:line:column" of the first `words` in `text`.
std::string place(const fs::path& file, const std::string& text, const std::string& words) {
  const size_t at = text.find(words);
  EXPECT_NE(at, std::string::npos) << words;
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n');
  return fmt::format("{}:{}:{}", file.string(), line, at - text.rfind('\n', at));
}

class BadInput : public ::testing::Test {
 protected:
  /// Jobs would be run by a program that does nothing: none of these gets so far.
  Outcome run(const fs::path& file, std::vector<std::string> more = {}) const {
    std::vector<std::string> command{COPPICE, "run", file.string()};
    command.insert(command.end(), more.begin(), more.end());
    if (std::find(more.begin(), more.end(), "--trainer") == more.end()) {
      command.insert(command.end(), {"--trainer", "/bin/true"});
    }
    return run_program(command, {.working_folder = tiny_.path()});
  }

  /// Refused before any work, with and without a folder for the results.
  void expect_refused(const fs::path& file,
                      int exit_code,
                      const Message& message,
                      const std::vector<std::string>& more = {}) const {
    expect_error_line(run(file, more), exit_code, message);
    std::vector<std::string> with_out{"--out", (tiny_.path() / "out").string()};
    with_out.insert(with_out.end(), more.begin(), more.end());
    expect_error_line(run(file, with_out), exit_code, message);
    for (const char* folder : {"runs", "out"}) {
      EXPECT_FALSE(fs::exists(tiny_.path() / folder)) << folder << " was made";
    }
  }

  void expect_refused_text(const std::string& text,
                           const std::string& words,
                           const std::string& reason) const {
    const fs::path file = tiny_.write("bad.yaml", text);
    expect_refused(file, 2, AllOf(HasSubstr(place(file, text, words) + ": "), HasSubstr(reason)));
  }

  TinyExperiment tiny_;
};

TEST_F(BadInput, UnknownKeysAreNamedWithTheNearestValidOne) {
  const std::string good = tiny_.yaml();
  expect_refused_text(replaced(good, "student:", "studnet:"), "studnet", "did you mean 'student'");
  expect_refused_text(replaced(good, "epochs:", "epohcs:"), "epohcs", "did you mean 'epochs'");
  expect_refused_text(
      replaced(good, "{macs_ratio:", "{mac_ratio:"), "mac_ratio", "did you mean 'macs_ratio'");
}

TEST_F(BadInput, WrongTypesAreRefused) {
  const std::string good = tiny_.yaml();
  expect_refused_text(replaced(good, "epochs: 2", "epochs: many"), "many", "student.train.epochs");
  expect_refused_text(replaced(good, "epochs: 2", "epochs: 2.5"), "2.5", "student.train.epochs");
  expect_refused_text(replaced(good, "widths: [24]", "widths: {a: 1}"), "{a:", "widths");
  expect_refused_text(replaced(good, "{macs_ratio: 0.6}", "[0.6]"), "[0.6]", "compress.prune");
}

TEST_F(BadInput, ValuesOutOfRangeAreRefused) {
  const std::string good = tiny_.yaml();
  expect_refused_text(replaced(good, "epochs: 2", "epochs: 0"), "0\n    batch", "epochs");
  expect_refused_text(
      replaced(good, "macs_ratio: 0.6", "macs_ratio: 6"), "6}", "compress.prune.macs_ratio");
  expect_refused_text(replaced(good, "name: mlp", "name: mpl"), "mpl", "did you mean 'mlp'");
  expect_refused_text(
      replaced(good, "kind: train", "kind: trian"), "trian", "did you mean 'train'");
  expect_refused_text(
      replaced(good, "learning_rate: 0.05}", "learning_rate: 0}"), "0}\ncompress", "learning_rate");
}

TEST_F(BadInput, TrainingOptionsThatDoNotFitDataOrRunAreRefused) {
  const auto with = [&](const std::string& line) {
    return replaced(tiny_.yaml(), "epochs: 2\n", "epochs: 2\n    " + line + "\n");
  };
  expect_refused_text(
      with("schedule: {warmup_epochs: 3}"), "3}", "student.train.schedule.warmup_epochs");
  expect_refused_text(with("augmentation: [{name: noise, low: 0, high: 3}]"),
                      "{name: noise",
                      "student.train.augmentation.0");
  expect_refused_text(with("task: {loss: mae}"), "mae}", "student.train.task.loss");
}

TEST_F(BadInput, MissingKeysAndBrokenSyntaxAreRefused) {
  const std::string good = tiny_.yaml();
  const fs::path file = tiny_.write("bad.yaml", replaced(good, "kind: train\n", ""));
  expect_refused(file, 2, AllOf(HasSubstr(file.string() + ":1:1"), HasSubstr("'kind'")));
  tiny_.write("bad.yaml",
              replaced(good, "  train_labels: " + tiny_.path().string() + "/train-labels\n", ""));
  expect_refused(file, 2, AllOf(HasSubstr(file.string() + ":"), HasSubstr("train_labels")));
  tiny_.write("bad.yaml", replaced(good, "widths: [24]}", "widths: [24"));
  expect_refused(file, 2, HasSubstr(file.string() + ":"));
  tiny_.write("bad.yaml", "");
  expect_refused(file, 2, HasSubstr(file.string()));
}

TEST_F(BadInput, AMissingFileIsNamedWhereItIsAskedFor) {
  expect_refused(tiny_.path() / "absent.yaml", 3, HasSubstr("absent.yaml"));
  std::string text = "extends: [tiny.yaml, tinny.yaml]\nname: other\n";
  fs::path file = tiny_.write("bad.yaml", text);
  expect_refused(
      file, 3, AllOf(HasSubstr(place(file, text, "tinny.yaml") + ": "), HasSubstr("'tiny.yaml'")));
  text = "extends: tiny.yaml\ndata:\n  test_images: /nowhere/images.gz\n";
  file = tiny_.write("bad.yaml", text);
  expect_refused(file,
                 3,
                 AllOf(HasSubstr(place(file, text, "/nowhere") + ": "),
                       HasSubstr("data.test_images"),
                       HasSubstr("'/nowhere/images.gz'")));
}

TEST_F(BadInput, ACycleOfExtendsIsRefused) {
  const std::string text = "name: a\nextends: b.yaml\n";
  const fs::path a = tiny_.write("a.yaml", text);
  const fs::path b = tiny_.write("b.yaml", "extends: c.yaml\n");
  tiny_.write("c.yaml", "extends: a.yaml\n");
  expect_refused(a, 2, AllOf(HasSubstr("c.yaml:1:10: "), HasSubstr("circle")));
  tiny_.write("self.yaml", "extends: self.yaml\n");
  expect_refused(tiny_.path() / "self.yaml", 2, HasSubstr("self.yaml:1:10: "));
}

TEST_F(BadInput, OverridesAreCheckedLikeFiles) {
  expect_refused(tiny_.file(),
                 2,
                 AllOf(HasSubstr("--set student.train.epohcs=3"), HasSubstr("'epochs'")),
                 {"--set", "student.train.epohcs=3"});
  expect_refused(
      tiny_.file(), 2, AllOf(HasSubstr("--set seed=-1"), HasSubstr("seed")), {"--set", "seed=-1"});
  expect_refused(tiny_.file(), 2, HasSubstr("seed"), {"--set", "seed"});
  expect_refused(tiny_.file(),
                 3,
                 HasSubstr("--set data.test_labels=/nowhere"),
                 {"--set", "data.test_labels=/nowhere"});
}

TEST_F(BadInput, ASweepIsCheckedWithAllItsTrials) {
  const auto sweep = [](const std::string& experiment, const std::string& parameter) {
    return "kind: sweep\nexperiment: " + experiment + "\nstudy:\n  parameters:\n    - " +
           parameter + "\n";
  };
  const auto expect = [&](const std::string& text,
                          int exit_code,
                          const std::string& words,
                          const std::string& reason) {
    const fs::path file = tiny_.write("sweep.yaml", text);
    expect_refused(
        file, exit_code, AllOf(HasSubstr(place(file, text, words) + ": "), HasSubstr(reason)));
  };
  const std::string depth = "{field: student.model.depth, values: [\"1\", \"0\"]}";
  expect(sweep("tiny.yaml", depth), 2, "{field", "student.model.depth");
  const std::string unknown = "{field: student.model.width, values: [\"[8]\"]}";
  expect(sweep("tiny.yaml", unknown), 2, "{field", "did you mean 'widths'");
  expect(sweep("tinny.yaml", depth), 3, "tinny", "tinny.yaml");
  expect(sweep("sweep.yaml", depth), 2, "sweep.yaml", "a sweep itself");
}

TEST_F(BadInput, TruncatedAndAlteredDataFilesAreRefused) {
  const Images images = quarters(600, 12, 4, 1);
  const std::map<std::string, core::Bytes> wholes{{"data.train_images", gzip(image_idx(images))},
                                                  {"data.train_labels", gzip(label_idx(images))},
                                                  {"data.test_images", image_idx(images)},
                                                  {"data.test_labels", label_idx(images)}};
  const fs::path bad = tiny_.path() / "bad-file";
  for (const auto& [field, whole] : wholes) {
    core::Bytes truncated = whole;
    truncated.resize(whole.size() - 5);
    core::Bytes half = whole;
    half.resize(whole.size() / 2);
    core::Bytes altered = whole;
    altered[altered.size() / 2] ^= std::byte{0x10};
    core::Bytes header = whole;
    header[2] ^= std::byte{0x01};
    std::vector<core::Bytes> faults{truncated, half, header, {}};
    if (field.starts_with("data.train")) {
      faults.push_back(altered);  // nothing in a plain file tells one pixel from another
    }
    for (const core::Bytes& fault : faults) {
      core::write_file(bad, fault);
      const Outcome outcome = run(tiny_.file(), {"--set", field + "=" + bad.string()});
      expect_last_error_line(outcome, 5, HasSubstr(bad.string()));
    }
  }
}

TEST_F(BadInput, LabelsThatFitOtherImagesAreRefused) {
  const fs::path bad = tiny_.path() / "bad-labels";
  core::write_file(bad, label_idx(quarters(599, 12, 4, 1)));
  expect_last_error_line(run(tiny_.file(), {"--set", "data.train_labels=" + bad.string()}),
                         5,
                         HasSubstr(bad.string()));
  expect_last_error_line(run(tiny_.file(), {"--set", "data.class_names=[one, two, three]"}),
                         5,
                         HasSubstr("test-labels"));
}

TEST_F(BadInput, MoreImagesThanThereAreAreRefused) {
  expect_last_error_line(run(tiny_.file(), {"--set", "data.train=501"}), 2, HasSubstr("501"));
}

TEST_F(BadInput, AnAlteredVersionInTheRunDirectoryIsRefusedAndTheOthersAreKept) {
  const fs::path out = tiny_.path() / "out";
  EXPECT_NE(run(tiny_.file(), {"--out", out.string()}).exit_code, 0) << "no job was really run";
  std::map<fs::path, core::Bytes> versions;
  for (const auto& entry : fs::directory_iterator(out / "data")) {
    versions[entry.path()] = core::read_file(entry.path());
  }
  ASSERT_EQ(versions.size(), 4) << "imported, test, to train on, held out";
  for (const auto& [file, bytes] : versions) {
    core::Bytes altered = bytes;
    altered[altered.size() / 2] ^= std::byte{1};
    core::write_file(file, altered);
    expect_last_error_line(
        run(tiny_.file(), {"--out", out.string()}), 5, HasSubstr(file.filename().string()));
    core::write_file(file, bytes);
  }
  for (const auto& [file, bytes] : versions) {
    EXPECT_EQ(core::read_file(file), bytes) << file;
  }
}

TEST_F(BadInput, AFolderOfAnotherRunIsNotTouched) {
  const fs::path out = tiny_.path() / "out";
  fs::create_directory(out);
  core::write_file(out / "config.yaml", "name: somebody else's\n");
  expect_error_line(run(tiny_.file(), {"--out", out.string()}), 6, HasSubstr(out.string()));
  EXPECT_EQ(core::read_text(out / "config.yaml"), "name: somebody else's\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(out), fs::directory_iterator()), 1);
}

TEST_F(BadInput, AnUnfinishedRunThatDoesNotExistCannotBeResumed) {
  expect_error_line(run(tiny_.file(), {"--resume"}), 3, HasSubstr("--resume"));
}

TEST_F(BadInput, AMissingTrainerIsRefusedBeforeAnyWork) {
  expect_refused(tiny_.file(), 3, HasSubstr("/nowhere/trainer"), {"--trainer", "/nowhere/trainer"});
}

}  // namespace
}  // namespace coppice::testing
