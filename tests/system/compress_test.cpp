// `kind: compress` and `coppice model inspect | compare` with the real programs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "loop/page_check.h"
#include "report/metrics_log.h"
#include "system/program.h"
#include "system/tiny_experiment.h"

namespace coppice::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

std::string compress_yaml(const TinyExperiment& tiny, const std::string& stages) {
  const std::string folder = tiny.path().string() + "/";
  return "kind: compress\n"
         "name: tiny\n"
         "data: {train_images: " +
         folder + "train-images, train_labels: " + folder + "train-labels, test_images: " + folder +
         "test-images, test_labels: " + folder +
         "test-labels, class_names: [top left, top right, bottom left, bottom right], train: 400, "
         "held_out: 100}\n"
         "rounds: 1\n" +
         stages;
}

/// The smallest version of a folder: of this data the one that gates are judged on.
std::string held_out(const fs::path& folder) {
  fs::path smallest;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".h5" &&
        (smallest.empty() || entry.file_size() < fs::file_size(smallest))) {
      smallest = entry.path();
    }
  }
  return smallest.string();
}

constexpr const char* kCnn = R"(
model: {name: cnn, widths: [16, 32]}
stages:
  - train: {name: reference, epochs: 4, batch_size: 32, threads: 1, optimizer: {learning_rate: 0.05}}
  - prune: {macs_ratio: 0.5}
  - train: {name: recovered, teacher: reference, epochs: 4, batch_size: 32, threads: 1, optimizer: {learning_rate: 0.02}}
  - quantise: {name: int8, samples: 100}
eager: true
agree: true
)";

TEST(Compress, RunsStagesJudgesThemAndRunsNoneTwice) {
  const TinyExperiment tiny;
  const fs::path file = tiny.write("compress.yaml", compress_yaml(tiny, kCnn));
  const fs::path out = tiny.path() / "out";
  const std::vector<std::string> command{COPPICE, "run", file.string(), "--out", out.string()};
  const Outcome outcome = run_program(command);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const auto figures = report::read_figures(out / "summary.json");
  EXPECT_GT(figures.at("accuracy.reference"), 0.9);
  EXPECT_GT(figures.at("accuracy.int8"), 0.9);
  EXPECT_GE(figures.at("macs_reduction.recovered"), 2);
  EXPECT_GT(figures.at("bytes_reduction.int8"), 2);
  EXPECT_GT(figures.at("eager_us.reference"), 0);
  EXPECT_GT(figures.at("latency_us.int8"), 0);
  EXPECT_EQ(figures.at("epochs.control-prune"), 8);
  EXPECT_THAT(figures, Contains(Key("control_accuracy.int8")));
  // The pruned int8 artefact: simulated in coppice-train, and loaded anew by both engines.
  EXPECT_EQ(figures.at("disagreements.int8"), 0);
  EXPECT_THAT(figures, Not(Contains(Key("disagreements.recovered"))));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("recovered"), HasSubstr("over eager")));
  expect_stands_alone(core::read_text(out / "report.html"));

  const Outcome again = run_program(command);
  EXPECT_EQ(again.exit_code, 0) << again.error;
  for (const char* stage : {"reference", "prune", "recovered", "int8", "control-prune"}) {
    EXPECT_THAT(again.error, HasSubstr(std::string(stage) + ": done before"));
  }
  EXPECT_EQ(report::read_figures(out / "summary.json").at("accuracy"), figures.at("accuracy"));

  // Before and after, side by side.
  const auto model = [&](const std::string& stage) {
    for (const auto& entry : fs::directory_iterator(out / "stages")) {
      if (entry.path().filename().string().starts_with(stage + "-")) {
        return (entry.path() / "model.onnx").string();
      }
    }
    return std::string();
  };
  const Outcome compared = run_program({COPPICE,
                                        "model",
                                        "compare",
                                        model("reference"),
                                        model("int8"),
                                        "--json",
                                        "--runs",
                                        "5",
                                        "--html",
                                        (tiny.path() / "compare.html").string()});
  ASSERT_EQ(compared.exit_code, 0) << compared.error;
  const json models = json::parse(compared.out).at("models");
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].at("macs"), figures.at("macs.reference"));
  EXPECT_EQ(models[1].at("macs"), figures.at("macs.int8"));
  expect_stands_alone(core::read_text(tiny.path() / "compare.html"));

  // What each group of channels bears, on the images that nothing was trained on.
  const std::string page = (tiny.path() / "sensitivity.html").string();
  const auto scan = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{COPPICE, "model", "sensitivity", model("reference")};
    words.insert(words.end(), {"--data", held_out(out / "data"), "--shares", "0.25", "0.75"});
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  };
  const Outcome scanned = scan({"--json", "--html", page});
  ASSERT_EQ(scanned.exit_code, 0) << scanned.error;
  const json sensitivity = json::parse(scanned.out);
  EXPECT_GT(sensitivity.at("score"), 0.9);
  ASSERT_GE(sensitivity.at("groups").size(), 2u);
  for (const json& group : sensitivity.at("groups")) {
    ASSERT_EQ(group.at("cuts").size(), 2u) << group;
    EXPECT_EQ(group.at("cuts")[1].at("share"), 0.75);
    EXPECT_LE(group.at("cuts")[1].at("score"), 1.0);
  }
  expect_stands_alone(core::read_text(page));
  EXPECT_THAT(scan({}).out, AllOf(HasSubstr("conv1"), HasSubstr("75 %"), HasSubstr("bears")));
  const Outcome unknown = scan({"--criterion", "l3"});
  EXPECT_NE(unknown.exit_code, 0);
  EXPECT_THAT(unknown.error, HasSubstr("did you mean"));
}

TEST(Compress, HintonsStagesFindTheUnseenClassAgain) {
  const TinyExperiment tiny;
  const fs::path file = tiny.write("hinton.yaml", compress_yaml(tiny, R"(
stages:
  - train: {name: teacher, model: {name: mlp, widths: [32]}, epochs: 3, batch_size: 32, threads: 1, optimizer: {learning_rate: 0.05}}
  - train: {name: student, model: {name: mlp, widths: [16]}, teacher: teacher, without_classes: [top right], epochs: 3, batch_size: 32, threads: 1, optimizer: {learning_rate: 0.02}, distil: {temperature: 8, alpha: 1}}
  - class_bias: {classes: [top right]}
control: false
)"));
  const fs::path out = tiny.path() / "out";
  const Outcome outcome = run_program({COPPICE, "run", file.string(), "--out", out.string()});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const auto figures = report::read_figures(out / "summary.json");
  EXPECT_LE(figures.at("errors.class_bias"), figures.at("errors.student"));
}

TEST(Compress, ErrorsNameThePlaceBeforeAnythingRuns) {
  const TinyExperiment tiny;
  const auto refuses =
      [&](const std::string& stages, const std::string& place, const auto& message) {
        const fs::path file = tiny.write("bad.yaml", compress_yaml(tiny, "stages:\n" + stages));
        const Outcome outcome = run_program({COPPICE, "check", file.string()});
        EXPECT_EQ(outcome.out, "");
        EXPECT_NE(outcome.exit_code, 0);
        EXPECT_THAT(outcome.error, AllOf(HasSubstr(file.string() + ":" + place), message));
      };
  refuses("  - prunne: {}\n", "6:5: ", HasSubstr("did you mean 'prune'"));
  refuses("  - quantise: {samples: 10}\n", "6:15: ", HasSubstr("no trained model"));
  refuses("  - train: {epochs: 1}\n  - prune: {from: trian}\n",
          "7:19: ",
          HasSubstr("did you mean 'train'"));
  refuses("  - train: {epochs: 0}\n", "6:21: ", HasSubstr("must be from 1"));
  refuses(
      "  - train: {name: a, epochs: 1}\n  - prune:\n"
      "  - train: {teacher: a, distil: {hints: [{teacher: relu1, student: rellu1}]}}\n",
      "8:",
      HasSubstr("did you mean 'relu1'"));
}

TEST(Compress, TrainsAFamilyAndCompressesItsMembers) {
  const TinyExperiment tiny;
  const fs::path file = tiny.write("family.yaml", compress_yaml(tiny, R"(
stages:
  - train_family:
      name: sizes
      members:
        - {name: large, model: {name: mlp, widths: [32]}}
        - {name: small, model: {name: mlp, widths: [12]}}
      train: {epochs: 3, batch_size: 32, threads: 1, optimizer: {learning_rate: 0.05}, distil: {temperature: 2, alpha: 0.5}}
  - prune: {name: pruned, from: small, macs_ratio: 0.7}
)"));
  const fs::path out = tiny.path() / "out";
  const Outcome outcome = run_program({COPPICE, "run", file.string(), "--out", out.string()});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const auto figures = report::read_figures(out / "summary.json");
  EXPECT_GT(figures.at("accuracy.large"), 0.9);
  EXPECT_GT(figures.at("accuracy.small"), 0.8);
  EXPECT_LT(figures.at("macs.small"), figures.at("macs.large"));
  EXPECT_GT(figures.at("accuracy.control-pruned"), 0.8) << "the member's recipe, with its teacher";
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("large"), HasSubstr("small")));
}

TEST(Compress, TheExamplesAreValid) {
  for (const char* name : {"stages.yaml", "family.yaml", "iterative.yaml"}) {
    const Outcome outcome =
        run_program({COPPICE, "check", (fs::path(CONFIGS) / "compress" / name).string()});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  }
}

TEST(Compress, HasASchemaAndAReferencePage) {
  const Outcome schema = run_program({COPPICE, "check", "--schema", "compress"});
  const json stages = json::parse(schema.out).at("properties").at("stages").at("items");
  EXPECT_TRUE(stages.at("properties").contains("prune"));
  EXPECT_FALSE(stages.contains("required")) << "one of several";
  EXPECT_THAT(
      run_program({COPPICE, "check", "--reference", "compress"}).out,
      AllOf(HasSubstr("`stages.N.train.epochs`"), HasSubstr("`stages.N.prune.macs_ratio`")));
}

TEST(ModelInspect, ShowsEveryLayer) {
  const Outcome outcome = run_program({COPPICE,
                                       "model",
                                       "inspect",
                                       "cnn",
                                       "--set",
                                       "model.widths=[4,8]",
                                       "--set",
                                       "input.shape=[1,12,12]",
                                       "--runs",
                                       "3"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  // 4 filters of 3x3 over 12x12.
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("conv1"), HasSubstr("4x12x12"), HasSubstr("5184")));
}

}  // namespace
}  // namespace coppice::testing
