#include "loop/compression.h"

#include <cmath>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/expect_error.h"
#include "graph/onnx.h"
#include "loop/compression_report.h"
#include "loop/fake_trainer.h"
#include "loop/page_check.h"
#include "loop/scratch.h"
#include "loop/tiny_world.h"
#include "report/metrics_log.h"

namespace coppice::loop {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kStages = R"(
- train: {name: reference, model: {name: mlp, widths: [24]}, epochs: 3}
- prune: {macs_ratio: 0.7}
- train: {name: recovered, teacher: reference, epochs: 2}
- quantise: {samples: 64}
)";

/// Options of a file with these stages.
CompressionOptions options_of(const TinyWorld& world,
                              const std::string& stages,
                              const std::string& more = "") {
  const DataOptions data = world.data();
  std::string text = fmt::format(
      "kind: compress\ndata: {{train_images: {}, train_labels: {}, test_images: {}, test_labels: "
      "{}, class_names: [top left, top right, bottom left, bottom right], train: 300, held_out: "
      "120}}\nrounds: 1\n{}\nstages:\n",
      data.train_images,
      data.train_labels,
      data.test_images,
      data.test_labels,
      more);
  std::istringstream lines(stages);
  for (std::string line; std::getline(lines, line);) {
    text += "  " + line + "\n";
  }
  return core::read_options<CompressionOptions>(core::parse_config_text(text, "file.yaml"));
}

class CompressionTest : public ::testing::Test {
 protected:
  CompressionTest() {
    trainer_.on_start = [this](const jobs::JobSpec& spec) {
      specs_.insert_or_assign(spec.name, spec);
    };
  }

  fs::path folder() const { return world_.folder() / "out"; }

  CompressionResult run(const CompressionOptions& options) {
    check(options);
    fs::create_directories(folder());
    return run_compression(
        options, folder(), trainer_, jobs::StageCache(world_.folder() / "stages"));
  }

  CompressionResult run(const std::string& stages, const std::string& more = "") {
    return run(options_of(world_, stages, more));
  }

  TinyWorld world_;
  FakeTrainer trainer_;
  std::map<std::string, jobs::JobSpec> specs_;
};

TEST_F(CompressionTest, EveryStageReadsTheModelOfTheOneBeforeAndIsJudged) {
  const CompressionResult result = run(kStages);
  EXPECT_THAT(trainer_.started(),
              ElementsAre("reference", "prune", "recovered", "quantise", "control-prune"));
  EXPECT_THAT(specs_.at("reference").inputs, Not(Contains(Key("model"))));
  EXPECT_EQ(specs_.at("prune").inputs.at("model"), result.row("reference").model);
  EXPECT_EQ(specs_.at("recovered").inputs.at("model"), result.row("prune").model);
  EXPECT_EQ(specs_.at("recovered").inputs.at("teacher"), result.row("reference").model);
  EXPECT_EQ(specs_.at("quantise").inputs.at("model"), result.row("recovered").model);
  for (const CompressionRow& row : result.rows) {
    for (const char* figure : {"accuracy", "errors", "macs", "parameters", "bytes", "latency_us"}) {
      EXPECT_THAT(row.figures, Contains(Key(figure))) << row.name;
    }
    EXPECT_EQ(row.figures.at("bytes"), static_cast<double>(fs::file_size(row.model)));
    EXPECT_NEAR(row.figures.at("accuracy"), 1 - row.figures.at("errors") / kTestImages, 1e-9);
  }
  EXPECT_GT(result.row("quantise").figures.at("accuracy"), 0.9);
  EXPECT_TRUE(result.row("quantise").int8);
  EXPECT_FALSE(result.row("recovered").int8);
  EXPECT_EQ(core::read_file(folder() / "model.onnx"),
            core::read_file(result.row("quantise").model));
}

TEST_F(CompressionTest, AScheduleCutsAndRecoversInTurns) {
  const CompressionResult result = run(R"(
- train: {name: reference, model: {name: mlp, widths: [24]}, epochs: 3}
- prune: {target: {ratio: 0.4}, schedule: {steps: 2}, recovery: {teacher: reference, epochs: 2}}
- quantise: {samples: 64}
)");
  EXPECT_THAT(trainer_.started(),
              ElementsAre("reference",
                          "prune-cut-1",
                          "prune-1",
                          "prune-cut-2",
                          "prune",
                          "quantise",
                          "control-prune"));
  const fs::path reference = result.row("reference").model;
  for (const char* cut : {"prune-cut-1", "prune-cut-2"}) {
    EXPECT_EQ(specs_.at(cut).inputs.at("reference"), reference) << cut;
  }
  EXPECT_EQ(specs_.at("prune-cut-1").inputs.at("model"), reference);
  EXPECT_EQ(specs_.at("prune-cut-2").inputs.at("model"), result.row("prune-1").model);
  EXPECT_EQ(specs_.at("prune").inputs.at("teacher"), reference);
  EXPECT_EQ(specs_.at("quantise").inputs.at("model"), result.row("prune").model);
  const double whole = result.row("reference").figures.at("macs");
  EXPECT_LE(result.row("prune").figures.at("macs"), 0.4 * whole);
  EXPECT_GT(result.row("prune-1").figures.at("macs"), 0.4 * whole);
  EXPECT_EQ(result.row("prune").epochs, 7);
  EXPECT_EQ(result.controls.at(0).epochs, 7);
}

TEST_F(CompressionTest, FiguresCompareWithTheBaseline) {
  const auto figures = figures_of(run(kStages));
  EXPECT_EQ(figures.at("macs_reduction.reference"), 1);
  EXPECT_EQ(figures.at("points_lost.reference"), 0);
  EXPECT_DOUBLE_EQ(figures.at("macs_reduction.prune"),
                   figures.at("macs.reference") / figures.at("macs.prune"));
  EXPECT_GE(figures.at("macs_reduction.prune"), 1 / 0.7);
  EXPECT_DOUBLE_EQ(figures.at("bytes_reduction"),
                   figures.at("bytes.reference") / figures.at("bytes.quantise"));
  EXPECT_EQ(figures.at("accuracy"), figures.at("accuracy.quantise")) << "of the last stage";
  EXPECT_THAT(figures, Not(Contains(Key("eager_us.reference"))));
}

TEST_F(CompressionTest, TheControlIsThePrunedShapeFromScratchForTheEpochsOfTheChain) {
  const CompressionResult result = run(kStages);
  const jobs::JobSpec& spec = specs_.at("control-prune");
  const auto job =
      core::read_options<recipe::TrainJob>(core::parse_config_text(spec.options, "options"));
  EXPECT_EQ(job.train.epochs, 5);
  EXPECT_THAT(spec.inputs, Not(Contains(Key("teacher")))) << "the first recipe has none";
  const graph::Model pruned = graph::load_onnx(result.row("prune").model);
  const graph::Model start = graph::load_onnx(spec.inputs.at("model"));
  ASSERT_EQ(start.weights.size(), pruned.weights.size());
  for (const auto& [name, weight] : pruned.weights) {
    EXPECT_EQ(start.weight(name).shape(), weight.shape()) << name;
  }
  const auto& control = result.controls.at(0);
  for (const char* name : {"prune", "recovered", "quantise"}) {
    EXPECT_EQ(result.row(name).figures.at("control_accuracy"), control.figures.at("accuracy"));
  }
  EXPECT_THAT(result.row("reference").figures, Not(Contains(Key("control_accuracy"))));
  EXPECT_EQ(control.figures.at("macs"), result.row("recovered").figures.at("macs"));
}

TEST_F(CompressionTest, AStageWithUnchangedInputsIsNotRunAgain) {
  run(kStages, "control: false");
  ASSERT_EQ(trainer_.started().size(), 4u);
  run(kStages, "control: false");
  EXPECT_EQ(trainer_.started().size(), 4u);
  CompressionOptions other = options_of(world_, kStages, "control: false");
  other.stages[3].quantise.samples = 32;
  run(other);
  EXPECT_EQ(trainer_.started().size(), 5u);
  EXPECT_EQ(trainer_.started().back(), "quantise");
  other.stages[1].prune.macs_ratio = 0.5;
  run(other);
  EXPECT_THAT(std::vector(trainer_.started().begin() + 5, trainer_.started().end()),
              ElementsAre("prune", "recovered", "quantise"));
}

TEST_F(CompressionTest, FromNamesAnyEarlierStage) {
  const CompressionResult result = run(std::string(kStages) + R"(
- quantise: {name: unpruned-int8, from: reference, samples: 64}
- prune: {macs_ratio: 0.5, from: recovered}
)",
                                       "control: false\nbaseline: recovered");
  EXPECT_EQ(specs_.at("unpruned-int8").inputs.at("model"), result.row("reference").model);
  EXPECT_EQ(specs_.at("prune-2").inputs.at("model"), result.row("recovered").model);
  EXPECT_EQ(result.row("prune-2").shape, "prune-2");
  EXPECT_EQ(result.baseline, "recovered");
  EXPECT_THAT(result.controls, IsEmpty());
}

TEST_F(CompressionTest, StartsFromAnOnnxFile) {
  const CompressionResult first = run(kStages, "control: false");
  const std::string file = first.row("reference").model.string();
  const CompressionResult result =
      run("- prune: {macs_ratio: 0.6}\n- train: {epochs: 1, teacher: model}\n",
          fmt::format("model: {{onnx: {}}}", file));
  EXPECT_EQ(specs_.at("prune").inputs.at("model"), file);
  EXPECT_EQ(specs_.at("train").inputs.at("teacher"), file);
  EXPECT_THAT(result.controls, IsEmpty()) << "there is no recipe that trained it";
  EXPECT_EQ(result.baseline, "model");
  EXPECT_EQ(result.row("model").model, file);
  EXPECT_EQ(result.row("model").figures.at("accuracy"),
            first.row("reference").figures.at("accuracy"));
  EXPECT_GT(figures_of(result).at("macs_reduction.prune"), 1.5);
  EXPECT_THAT(stage_table(result), HasSubstr("\nmodel"));
  write_report(result, "Given", "", folder() / "report.html");
  testing::expect_on_page(core::read_text(folder() / "report.html"), "Accuracy against latency");
}

TEST_F(CompressionTest, LeavesOutTheSamplesOfClasses) {
  run("- train: {model: {name: mlp, widths: [8]}, epochs: 1, without_classes: [top right]}\n");
  const auto rest = data::open_version(specs_.at("train").inputs.at("train"));
  EXPECT_THAT(data::class_counts(*rest), ElementsAre(75, 0, 75, 75));
  EXPECT_THAT(data::class_counts(*data::open_version(specs_.at("train").inputs.at("validation"))),
              ElementsAre(30, 30, 30, 30));
}

constexpr const char* kFamily = R"(
- train_family:
    name: sizes
    members:
      - {name: large, model: {name: mlp, widths: [24]}}
      - {name: small, model: {name: mlp, widths: [12]}}
    train: {epochs: 3, distil: {temperature: 2, alpha: 0.6}}
)";

recipe::TrainJob train_job_of(const jobs::JobSpec& spec) {
  return core::read_options<recipe::TrainJob>(core::parse_config_text(spec.options, "options"));
}

TEST_F(CompressionTest, EveryMemberOfAFamilyHasARowAndStagesOfItsOwn) {
  const CompressionResult result = run(std::string(kFamily) + R"(
- prune: {name: pruned, from: large, macs_ratio: 0.7}
- train: {name: recovered, teacher: large, epochs: 2}
- quantise: {name: int8, from: small, samples: 64}
)");
  EXPECT_THAT(trainer_.started(),
              ElementsAre("sizes", "pruned", "recovered", "int8", "control-pruned"));
  const jobs::JobSpec& spec = specs_.at("sizes");
  EXPECT_EQ(spec.kind, "train_family");
  EXPECT_THAT(spec.inputs, ElementsAre(Key("train"), Key("validation")));
  const auto job =
      core::read_options<recipe::TrainFamilyJob>(core::parse_config_text(spec.options, "options"));
  ASSERT_EQ(job.members.size(), 2u);
  EXPECT_EQ(job.members[1].model.widths, std::vector<int64_t>{12});
  EXPECT_EQ(job.train.distil.alpha, 0.6);
  ASSERT_EQ(result.rows.size(), 5u);
  EXPECT_EQ(result.baseline, "large");
  const auto figures = figures_of(result);
  for (const char* member : {"large", "small"}) {
    const CompressionRow& row = result.row(member);
    EXPECT_EQ(row.from, "");
    EXPECT_EQ(row.model, result.row("large").folder / member / "model.onnx");
    EXPECT_GT(figures.at(fmt::format("accuracy.{}", member)), 0.8);
    EXPECT_EQ(figures.at(fmt::format("epochs.{}", member)), 3);
    EXPECT_THAT(stage_table(result), HasSubstr(member));
  }
  EXPECT_LT(figures.at("macs.small"), figures.at("macs.large"));
  EXPECT_EQ(specs_.at("pruned").inputs.at("model"), result.row("large").model);
  EXPECT_EQ(specs_.at("recovered").inputs.at("teacher"), result.row("large").model);
  EXPECT_EQ(specs_.at("int8").inputs.at("model"), result.row("small").model);
  EXPECT_EQ(train_job_of(specs_.at("control-pruned")).train.epochs, 5);
  EXPECT_THAT(specs_.at("control-pruned").inputs, Not(Contains(Key("teacher"))))
      << "labels alone taught the first member";
  write_report(result, "Family", "", folder() / "report.html");
  testing::expect_on_page(core::read_text(folder() / "report.html"), "family of large");
}

TEST_F(CompressionTest, TheControlOfAMemberLearnsFromThoseThatTaughtIt) {
  const CompressionResult first =
      run(std::string(kFamily) + "- prune: {name: pruned, from: small, macs_ratio: 0.7}\n");
  EXPECT_EQ(specs_.at("control-pruned").inputs.at("teacher"), first.row("large").model);
  EXPECT_EQ(train_job_of(specs_.at("control-pruned")).train.distil.alpha, 0.6);
  CompressionOptions options = options_of(
      world_, std::string(kFamily) + "- prune: {name: pruned, from: large, macs_ratio: 0.7}\n");
  options.stages[0].family.learn_from = "each_other";
  const CompressionResult mutual = run(options);
  EXPECT_EQ(specs_.at("control-pruned").inputs.at("teacher"), mutual.row("small").model);
}

TEST_F(CompressionTest, AFamilyIsCheckedBeforeAnythingRuns) {
  const auto refuses = [&](const std::string& stages, const auto& message) {
    EXPECT_ERROR(check(options_of(world_, stages)), InvalidArgument, message);
  };
  refuses(std::string(kFamily) + "- prune: {macs_ratio: 0.5}\n",
          AllOf(StartsWith("stages.1.prune.from: "), HasSubstr("name the member: large, small")));
  refuses(std::string(kFamily) + "- train: {from: small, teacher: sizes}\n",
          AllOf(StartsWith("stages.1.train.teacher: "), HasSubstr("large, small")));
  refuses(std::string(kFamily) + "- train: {name: small, from: large}\n",
          AllOf(StartsWith("stages.1.train.name: "), HasSubstr("called 'small' too")));
  refuses(std::string("- train: {name: large}\n") + (kFamily + 1),
          AllOf(StartsWith("stages.1.train_family.members.0.name: "), HasSubstr("'large' too")));
  refuses("- train_family: {members: [{name: one}]}\n",
          AllOf(StartsWith("stages.0.train_family.members: "), HasSubstr("two or more")));
  refuses(
      "- train_family: {members: [{name: a}, {name: b}], train: {distil: {hints: [{teacher: "
      "relu1, student: relu1}]}}}\n",
      StartsWith("stages.0.train_family.train.distil.hints: "));
  EXPECT_ERROR(options_of(world_, "- train_family: {from: model}\n"),
               Config,
               HasSubstr("stages.0.train_family.from"));
}

/// A teacher of two hidden layers, pruned, and what learns from it by a hint.
std::string hinted_stages(const std::string& hint) {
  return "- train: {name: reference, model: {name: mlp, widths: [24, 16]}, epochs: 1}\n"
         "- prune: {macs_ratio: 0.7}\n"
         "- train: {name: recovered, teacher: reference, epochs: 1, distil: {hints: [" +
         hint + "]}}\n";
}

class EveryHint : public CompressionTest, public ::testing::WithParamInterface<std::string> {};

INSTANTIATE_TEST_SUITE_P(Methods,
                         EveryHint,
                         ::testing::Values("fitnets", "rkd", "similarity", "pkt"));

TEST_P(EveryHint, OfAPrunedStudentNamesNodesThatAreThere) {
  const auto hint = [](const std::string& teacher, const std::string& student) {
    return fmt::format("{{method: {}, teacher: {}, student: {}}}", GetParam(), teacher, student);
  };
  check(options_of(world_, hinted_stages(hint("relu2", "relu1"))));
  EXPECT_ERROR(check(options_of(world_, hinted_stages(hint("relu3", "relu1")))),
               NotFound,
               AllOf(StartsWith("stages.2.train.distil.hints.0.teacher: "),
                     HasSubstr("did you mean 'relu"),
                     HasSubstr("gemm2")));
  EXPECT_ERROR(check(options_of(world_, hinted_stages(hint("relu2", "gem1")))),
               NotFound,
               AllOf(StartsWith("stages.2.train.distil.hints.0.student: "),
                     HasSubstr("did you mean 'gemm1'")));
}

TEST_F(CompressionTest, HintsAreCheckedAgainstEveryKindOfTeacher) {
  const std::string hint = "teacher: relu9, student: relu1}]}}\n";
  const auto refuses = [&](const std::string& stages, const std::string& field) {
    EXPECT_ERROR(check(options_of(world_, stages)), NotFound, StartsWith(field));
  };
  refuses(std::string(kFamily) + "- train: {from: small, teacher: large, distil: {hints: [{" + hint,
          "stages.1.train.distil.hints.0.teacher: ");
  refuses("- train: {epochs: 1}\n- train: {distil: {hints: [{" + hint,
          "stages.1.train.distil.hints.0.of: ");
  refuses(
      "- train: {name: a}\n- train: {name: b, model: {name: mlp}}\n- train: {teacher: a, "
      "more_teachers: [b], distil: {hints: [{of: teacher2, " +
          hint,
      "stages.2.train.distil.hints.0.teacher: ");
  const CompressionResult made = run(kStages, "control: false");
  const std::string file = made.row("recovered").model.string();
  refuses(fmt::format("- train: {{model: {{name: mlp, widths: [8]}}, teacher: {}, distil: {{hints: "
                      "[{{{}",
                      file,
                      hint),
          "stages.0.train.distil.hints.0.teacher: ");
  EXPECT_EQ(trainer_.started().size(), 4u) << "the run before the checks";
}

TEST_F(CompressionTest, ReportsStandAlone) {
  const CompressionResult result = run(kStages);
  EXPECT_THAT(stage_table(result),
              AllOf(HasSubstr("recovered"), HasSubstr("from scratch"), HasSubstr("control-prune")));
  const fs::path file = folder() / "report.html";
  write_report(result, "Compression: tiny", "seed: 1 # <resolved>", file);
  write_results(result, folder());
  const std::string page = core::read_text(file);
  for (const char* part : {"Compression: tiny",
                           "Accuracy against latency",
                           "Accuracy against size",
                           "frontier",
                           "# &lt;resolved&gt;"}) {
    testing::expect_on_page(page, part);
  }
  testing::expect_stands_alone(page);
  EXPECT_EQ(report::read_figures(folder() / "summary.json"), figures_of(result));
}

TEST_F(CompressionTest, CheckNamesTheStageAndTheReason) {
  const auto refuses = [&](const std::string& stages, const auto& message) {
    EXPECT_ERROR(check(options_of(world_, stages)), InvalidArgument, message);
  };
  refuses("- {}\n",
          AllOf(StartsWith("stages.0: "), HasSubstr("train, train_family, prune, quantise")));
  refuses("- {train: {}, prune: {}}\n",
          AllOf(StartsWith("stages.0: "), HasSubstr("an entry of its own")));
  refuses("- quantise:\n",
          AllOf(StartsWith("stages.0.quantise: "), HasSubstr("no trained model to start from")));
  refuses("- train:\n- quantise: {from: trian}\n",
          AllOf(StartsWith("stages.1.quantise.from: "), HasSubstr("did you mean 'train'")));
  refuses("- train: {teacher: later}\n- train: {name: later}\n",
          AllOf(StartsWith("stages.0.train.teacher: "), HasSubstr("'later' is no earlier stage")));
  refuses("- train: {name: a}\n- train: {name: a}\n",
          AllOf(StartsWith("stages.1.train.name: "), HasSubstr("called 'a' too")));
  refuses("- train: {name: model}\n", StartsWith("stages.0.train.name: "));
  refuses("- train:\n- quantise:\n- prune: {macs_ratio: 0.5}\n",
          AllOf(StartsWith("stages.2.prune: "), HasSubstr("'quantise' is quantised")));
  refuses("- train: {without_classes: [top lefd]}\n",
          AllOf(StartsWith("stages.0.train.without_classes.0: "),
                HasSubstr("did you mean 'top left'")));
  refuses("- train:\n- class_bias:\n", StartsWith("stages.1.class_bias.classes: "));
  refuses("- train:\n- prune: {target: {metric: bytes, value: 900}, schedule: {steps: 2}}\n",
          StartsWith("stages.1.prune.target.value: "));
  refuses("- train:\n- prune: {recovery: {epochs: 2}}\n", StartsWith("stages.1.prune.recovery: "));
  refuses("- train:\n- prune: {schedule: {steps: 2}, recovery: {model: {name: mlp}}}\n",
          StartsWith("stages.1.prune.recovery.model: "));
  refuses("- train:\n- prune: {schedule: {steps: 2}}\n- train: {name: prune-cut-1}\n",
          AllOf(StartsWith("stages.2.train.name: "), HasSubstr("called 'prune-cut-1' too")));
  EXPECT_ERROR(options_of(world_, "- train:\n- prune: {criterion: l3}\n"),
               Config,
               AllOf(HasSubstr("stages.1.prune.criterion"), HasSubstr("did you mean")));
  EXPECT_ERROR(check(options_of(world_, "- train: {teacher: nowhere.onnx}\n")),
               NotFound,
               StartsWith("stages.0.train.teacher: "));
  EXPECT_ERROR(check(options_of(world_,
                                "- train:\n- prune: {schedule: {steps: 2}, recovery: {teacher: "
                                "train, distil: {hints: [{method: attention, teacher: relu9, "
                                "student: relu1}]}}}\n")),
               NotFound,
               StartsWith("stages.1.prune.recovery.distil.hints.0"));
  EXPECT_ERROR(check(options_of(world_, "- train:\n", "baseline: trian")),
               InvalidArgument,
               AllOf(StartsWith("baseline: "), HasSubstr("did you mean 'train'")));
  EXPECT_ERROR(check(options_of(world_, "- train:\n", "model: {onnx: nowhere.onnx}")),
               NotFound,
               StartsWith("model.onnx: "));
}

TEST_F(CompressionTest, AnUnknownStageIsToldWithPlaceAndTheNearestOne) {
  EXPECT_ERROR(options_of(world_, "- train:\n- prunne: {macs_ratio: 0.5}\n"),
               Config,
               AllOf(StartsWith("file.yaml:7:5"),
                     HasSubstr("stages.1.prunne"),
                     HasSubstr("did you mean 'prune'")));
}

TEST_F(CompressionTest, WhatIsDumpedReadsBackAsTheSame) {
  const std::string text = core::dump_options(options_of(world_, kStages));
  const auto again =
      core::read_options<CompressionOptions>(core::parse_config_text(text, "dump.yaml"));
  EXPECT_EQ(core::dump_options(again), text);
  EXPECT_EQ(again.stages[2].name, "recovered");
  EXPECT_EQ(again.stages[3].from, "recovered");
  EXPECT_THAT(text, AllOf(HasSubstr("macs_ratio: 0.7"), Not(HasSubstr("class_bias"))));
}

TEST(Frontier, HoldsWhatNoOtherBeatsInBoth) {
  const auto row = [](double accuracy, double bytes) {
    CompressionRow made;
    made.figures = {{"accuracy", accuracy}, {"bytes", bytes}};
    return made;
  };
  const std::vector<CompressionRow> rows{
      row(0.9, 100), row(0.8, 50), row(0.7, 60), row(0.9, 120), row(0.95, 200), row(0.8, 50)};
  EXPECT_THAT(frontier(rows, "bytes"), ElementsAre(1, 0, 4));
}

TEST(RedrawWeights, KeepsShapesAndForgetsEverything) {
  graph::ModelOptions options;
  options.widths = {8, 16};
  graph::ModelInput input;
  input.class_names = {"a", "b"};
  graph::Model trained = graph::build_model(options, input, 1);
  for (auto& [name, weight] : trained.weights) {
    if (name.starts_with("bn") || name.ends_with(".bias")) {
      weight = weight.clone();
      std::fill(weight.data<float>().begin(), weight.data<float>().end(), 7.F);
    }
  }
  const graph::Model built = graph::build_model(options, input, 5);
  const graph::Model fresh = redraw_weights(trained, 5);
  for (const graph::Node& node : trained.graph.nodes) {
    const bool drawn = node.op == graph::Op::Conv || node.op == graph::Op::Gemm;
    if (drawn || node.op == graph::Op::BatchNorm) {
      for (size_t i = 1; i < node.inputs.size(); ++i) {
        const auto& weight = fresh.weight(node.inputs[i]);
        EXPECT_EQ(weight.shape(), trained.weight(node.inputs[i]).shape());
        double squares = 0;
        double expected = 0;
        for (const float value : weight.data<float>()) {
          squares += static_cast<double>(value) * value;
          EXPECT_NE(value, 7.F);
        }
        for (const float value : built.weight(node.inputs[i]).data<float>()) {
          expected += static_cast<double>(value) * value;
        }
        // The spread of a sum of n squares of a normal value is sqrt(2 / n) of it.
        const double tolerance = 5 * expected * std::sqrt(2.0 / static_cast<double>(weight.size()));
        EXPECT_NEAR(squares, expected, tolerance) << node.inputs[i];
      }
    }
  }
}

}  // namespace
}  // namespace coppice::loop
