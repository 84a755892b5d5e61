#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "data/store.h"
#include "graph/cost.h"
#include "graph/models.h"
#include "graph/onnx.h"
#include "report/metrics_log.h"
#include "report/tensorboard.h"
#include "runtime/engine.h"
#include "samples.h"
#include "train/components.h"

namespace coppice::train {

namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kTrainOptions =
    "model: {name: cnn, widths: [6, 12]}\n"
    "train: {epochs: 4, batch_size: 32, threads: 1, optimizer: {learning_rate: 0.1}}\n";

class JobsTest : public ::testing::Test {
 protected:
  JobsTest() {
    train_ = data::write_version(folder_.path() / "data", *testing::quarters(256, 1), {}, {}).file;
    test_ = data::write_version(folder_.path() / "data", *testing::quarters(64, 2), {}, {}).file;
  }

  /// Runs a job and returns its folder.
  fs::path run(const std::string& kind,
               const std::string& name,
               std::map<std::string, fs::path> inputs,
               const std::string& options) {
    const fs::path out = folder_.path() / name;
    fs::create_directories(out);
    const jobs::JobSpec spec{kind, name, 1, std::move(inputs), options};
    const Components components = built_in_components();
    components.job_kinds.get(kind)(
        {.spec = spec, .folder = out, .components = components, .on_progress = {}});
    return out;
  }

  fs::path train(const std::string& name = "trained", const std::string& options = kTrainOptions) {
    return run("train", name, {{"train", train_}, {"validation", test_}}, options);
  }

  static double figure(const fs::path& folder, const std::string& name) {
    return report::read_figures(folder / "summary.json").at(name);
  }

  core::TemporaryFolder folder_;
  fs::path train_;
  fs::path test_;
};

TEST_F(JobsTest, TrainWritesAModelThatKnowsItsData) {
  const fs::path out = train();
  for (const char* file :
       {"model.onnx", "summary.json", "metrics.jsonl", "report.html", "checkpoint.h5"}) {
    EXPECT_TRUE(fs::exists(out / file)) << file;
  }
  const graph::Model model = graph::load_onnx(out / "model.onnx");
  EXPECT_EQ(model.metadata.class_names, testing::quarters(4, 1)->schema().class_names);
  EXPECT_EQ(model.metadata.lineage.at("dataset"), data::describe_version(train_).hash);
  const graph::Cost cost = graph::cost(model);
  EXPECT_EQ(figure(out, "macs"), static_cast<double>(cost.macs));
  EXPECT_EQ(figure(out, "parameters"), static_cast<double>(cost.parameters));
  EXPECT_EQ(figure(out, "weight_bytes"), static_cast<double>(cost.weight_bytes));
  EXPECT_GT(figure(out, "accuracy"), 0.95);
  const auto rows = report::read_metrics(out / "metrics.jsonl");
  ASSERT_EQ(rows.size(), 4);
  EXPECT_EQ(rows.back().values.at("validation_accuracy"), figure(out, "accuracy"));
  const std::string page = core::read_text(out / "report.html");
  for (const char* part :
       {"best validation: ", "learning rate", "weighted mean", "gap to confidence"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  for (const char* name : {"macro_f1", "auroc", "ece", "brier", "recall.top left"}) {
    EXPECT_GT(figure(out, name) + 1e-9, 0) << name;
  }
}

TEST_F(JobsTest, TrainWritesWhatTensorBoardShows) {
  const fs::path out = train();
  const auto files = report::tensorboard_files(out);
  ASSERT_EQ(files.size(), 1u);
  const auto rows = report::read_metrics(out / "metrics.jsonl");
  std::map<std::string, std::vector<std::pair<int64_t, float>>> scalars;
  for (const auto& event : report::read_tensorboard(files.front())) {
    for (const auto& [tag, value] : event.scalars) {
      scalars[tag].emplace_back(event.step, value);
    }
  }
  // 256 samples in batches of 32: 8 steps an epoch, 4 epochs; the loss of every 10 steps.
  ASSERT_EQ(scalars["train/loss"].size(), 3u);
  EXPECT_EQ(scalars["train/loss"][1].first, 20);
  for (const char* tag : {"validation/loss",
                          "validation/accuracy",
                          "learning_rate",
                          "epoch/loss",
                          "samples_per_second"}) {
    ASSERT_EQ(scalars[tag].size(), 4u) << tag;
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(scalars["validation/loss"][i].first, 8 * static_cast<int64_t>(i + 1));
    EXPECT_FLOAT_EQ(scalars["validation/loss"][i].second,
                    static_cast<float>(rows[i].values.at("validation_loss")));
  }
  EXPECT_GT(scalars["samples_per_second"][0].second, 0);
  // Taken up again, a finished run leaves it as it was.
  const core::Bytes before = core::read_file(files.front());
  train();
  EXPECT_EQ(core::read_file(report::tensorboard_files(out).front()), before);
}

TEST_F(JobsTest, AStudentLearnsFromSeveralTeachersOneOfThemInt8) {
  const fs::path teacher = train() / "model.onnx";
  const fs::path quantised =
      run("quantise", "int8", {{"model", teacher}, {"calibration", train_}}, "samples: 64\n");
  const std::string options =
      "model: {name: cnn, widths: [6, 12]}\n"
      "train: {epochs: 6, batch_size: 32, threads: 1, optimizer: {learning_rate: 0.1},\n"
      "        distil: {teacher_weights: [1, 2],\n"
      "                 hints: [{method: fitnets, teacher: relu1, student: relu1}]}}\n";
  std::map<std::string, fs::path> inputs{{"train", train_},
                                         {"validation", test_},
                                         {"teacher", teacher},
                                         {"teacher2", quantised / "model.onnx"}};
  const fs::path student = run("train", "student", inputs, options);
  EXPECT_GT(figure(student, "accuracy"), 0.85);
  const graph::Model model = graph::load_onnx(student / "model.onnx");
  EXPECT_EQ(model.graph.outputs, std::vector<std::string>{"logits"});
  for (const graph::Node& node : model.graph.nodes) {
    EXPECT_FALSE(node.name.starts_with("distil")) << node.name;
  }
  EXPECT_EQ(figure(student, "parameters"), static_cast<double>(graph::cost(model).parameters));
  // Teachers are numbered without gaps.
  inputs.erase("teacher2");
  inputs["teacher3"] = teacher;
  EXPECT_THAT(graph::testing::message_of(core::ErrorKind::Config,
                                         [&] { run("train", "gap", inputs, options); }),
              HasSubstr("takes no input 'teacher3'"));
}

TEST_F(JobsTest, PruneDistilQuantiseAndEvaluateFollowOnEachOther) {
  const fs::path teacher = train() / "model.onnx";
  const fs::path pruned =
      run("prune", "pruned", {{"model", teacher}}, "macs_ratio: 0.5\nmin_channels: 2\n");
  EXPECT_LE(figure(pruned, "macs_ratio"), 0.5);
  EXPECT_LT(figure(pruned, "channels.conv2"), 12);
  const fs::path student = run("train",
                               "student",
                               {{"train", train_},
                                {"validation", test_},
                                {"replay", test_},
                                {"model", pruned / "model.onnx"},
                                {"teacher", teacher}},
                               kTrainOptions);
  EXPECT_EQ(figure(student, "macs"), figure(pruned, "macs"));
  const fs::path quantised = run("quantise",
                                 "quantised",
                                 {{"model", student / "model.onnx"}, {"calibration", train_}},
                                 "samples: 64\n");
  EXPECT_LT(figure(quantised, "weight_bytes"), 0.5 * figure(quantised, "weight_bytes_before"));
  const fs::path evaluated = run("evaluate",
                                 "evaluated",
                                 {{"model", quantised / "model.onnx"}, {"data", test_}},
                                 "backend: reference\n");
  EXPECT_GT(figure(evaluated, "accuracy"), 0.95);
  EXPECT_EQ(figure(evaluated, "samples"), 64);
  EXPECT_GE(figure(evaluated, "recall.top left"), 0.9);
}

TEST_F(JobsTest, DeepCompressionFollowsItsStages) {
  const std::string recipe =
      "batch_size: 32, threads: 1, optimizer: {name: adam, learning_rate: 0.001, weight_decay: 0}";
  const auto retrain = [&](const std::string& name, const fs::path& model, const char* more) {
    return run("train",
               name,
               {{"train", train_}, {"validation", test_}, {"model", model / "model.onnx"}},
               "train: {" + recipe + ", " + more + "}\n");
  };
  const fs::path dense = train();
  const fs::path sparse =
      run("sparsify", "sparse", {{"model", dense / "model.onnx"}}, "share: 0.7\n");
  EXPECT_NEAR(figure(sparse, "zeros"), 0.7, 0.01);
  EXPECT_LT(figure(sparse, "transfer_bytes"), figure(sparse, "transfer_bytes_before"));
  const fs::path recovered = retrain("recovered", sparse, "epochs: 3, keep: zeros");
  const fs::path shared = run(
      "share", "shared", {{"model", recovered / "model.onnx"}}, "conv_bits: 5\nlinear_bits: 3\n");
  EXPECT_LE(figure(shared, "shared_values.logits"), 8);
  const fs::path tuned = retrain("tuned", shared, "epochs: 1, keep: shared");
  const fs::path coded = run("encode", "coded", {{"model", tuned / "model.onnx"}}, "");
  EXPECT_EQ(figure(coded, "transfer_bytes"),
            static_cast<double>(fs::file_size(coded / "model.transfer")));
  EXPECT_NEAR(figure(coded, "transfer_bytes"), figure(shared, "transfer_bytes"), 100)
      << "training kept zeros and shared values";
  const graph::Model model = graph::load_onnx(coded / "model.transfer");
  EXPECT_EQ(
      figure(coded, "times_smaller"),
      4 * static_cast<double>(graph::cost(model).parameters) / figure(coded, "transfer_bytes"));
  EXPECT_EQ(graph::content_hash(model),
            graph::content_hash(graph::load_onnx(tuned / "model.onnx")));
  const fs::path evaluated =
      run("evaluate", "e", {{"model", coded / "model.transfer"}, {"data", test_}}, "");
  EXPECT_GT(figure(evaluated, "accuracy"), 0.9);
}

TEST_F(JobsTest, LowRankLayersTrainOn) {
  const fs::path whole =
      train("whole",
            "model: {name: mlp, widths: [64]}\ntrain: {epochs: 2, batch_size: 32, threads: 1}\n");
  const fs::path parts =
      run("low_rank", "parts", {{"model", whole / "model.onnx"}}, "rank: parameters\nratio: 0.4\n");
  EXPECT_LE(figure(parts, "parameters"), 0.4 * figure(parts, "parameters_before"));
  EXPECT_LT(figure(parts, "macs"), figure(parts, "macs_before"));
  const fs::path recovered =
      run("train",
          "recovered",
          {{"train", train_}, {"validation", test_}, {"model", parts / "model.onnx"}},
          "train: {epochs: 2, batch_size: 32, threads: 1}\n");
  EXPECT_EQ(figure(recovered, "parameters"), figure(parts, "parameters"));
  EXPECT_GT(figure(recovered, "accuracy"), 0.9);
}

TEST_F(JobsTest, QuantisedTrainingGivesAnInt8ModelAndResumes) {
  const fs::path model = train() / "model.onnx";
  for (const char* kind : {"ste", "lsq"}) {
    const std::string method = kind;
    const std::string options =
        "train: {epochs: 2, batch_size: 32, threads: 1, optimizer: {learning_rate: 0.01}, "
        "checkpoint: {every_steps: 3}, qat: {method: " +
        method + ", samples: 64, freeze_bn_after: 1}}\n";
    const std::map<std::string, fs::path> inputs{
        {"train", train_}, {"validation", test_}, {"model", model}};
    const fs::path out = run("train", method, inputs, options);
    const graph::Model int8 = graph::load_onnx(out / "model.onnx");
    EXPECT_EQ(int8.weight("conv1.weight_q").dtype(), graph::DType::I8);
    EXPECT_GT(figure(out, "accuracy"), 0.95);
    const fs::path evaluated = run(
        "evaluate", method + "-evaluated", {{"model", out / "model.onnx"}, {"data", test_}}, "");
    EXPECT_DOUBLE_EQ(figure(evaluated, "accuracy"), figure(out, "accuracy"));
    fs::remove(out / "model.onnx");
    run("train", method, inputs, options);
    EXPECT_EQ(graph::content_hash(graph::load_onnx(out / "model.onnx")), graph::content_hash(int8))
        << "taken up from the checkpoint, learned scales among it";
  }
}

TEST_F(JobsTest, MixedPrecisionIsReported) {
  const fs::path model = train() / "model.onnx";
  const fs::path out = run("quantise",
                           "mixed",
                           {{"model", model}, {"calibration", train_}},
                           "samples: 64\ncalibration: entropy\nequalise: true\n"
                           "mixed: {budget: layers, limit: 1}\n");
  EXPECT_EQ(figure(out, "float_layers"), 1);
  EXPECT_EQ(figure(out, "int8_layers"), 2);
  EXPECT_GT(figure(out, "sqnr_db.conv2"), 0);
  EXPECT_GT(figure(out, "equalised_pairs"), 0);
  EXPECT_TRUE(fs::exists(out / "report.html"));
}

TEST_F(JobsTest, CriteriaThatNeedDataGetItOrSaySo) {
  const fs::path model = train() / "model.onnx";
  for (const char* criterion : {"taylor", "fisher", "apoz", "mean_activation"}) {
    const std::string options = "criterion: " + std::string(criterion) +
                                "\nmacs_ratio: 0.5\nmin_channels: 2\nimportance: {samples: 64}\n";
    const fs::path pruned = run("prune", criterion, {{"model", model}, {"train", train_}}, options);
    EXPECT_LE(figure(pruned, "macs_ratio"), 0.5) << criterion;
    const std::string message = graph::testing::message_of(core::ErrorKind::InvalidArgument, [&] {
      run("prune", "x", {{"model", model}}, options);
    });
    EXPECT_THAT(message, HasSubstr("needs data; give the job an input 'train'"));
  }
}

TEST_F(JobsTest, PruningInStepsRelatesToTheReference) {
  const fs::path whole = train() / "model.onnx";
  const fs::path first = run("prune",
                             "first",
                             {{"model", whole}, {"reference", whole}},
                             "target: {metric: parameters, ratio: 0.7}\nmin_channels: 2\n");
  const fs::path second = run("prune",
                              "second",
                              {{"model", first / "model.onnx"}, {"reference", whole}},
                              "target: {metric: parameters, ratio: 0.5}\nmin_channels: 2\n");
  EXPECT_EQ(figure(second, "target_before"), figure(first, "target_before"));
  EXPECT_LE(figure(second, "target"), 0.5 * figure(second, "target_before"));
  EXPECT_GT(figure(second, "target"), 0.3 * figure(second, "target_before"));
}

TEST_F(JobsTest, SensitivityTellsWhatEachGroupBears) {
  const fs::path model = train() / "model.onnx";
  const fs::path scanned =
      run("sensitivity",
          "scanned",
          {{"model", model}, {"data", test_}},
          "shares: [0.25, 0.75]\nbackend: reference\nsamples: 40\ntolerance: 0.05\n");
  EXPECT_EQ(figure(scanned, "samples"), 40);
  EXPECT_GT(figure(scanned, "score"), 0.9);
  EXPECT_LE(figure(scanned, "score.conv2.0.75"), figure(scanned, "score"));
  EXPECT_LT(figure(scanned, "macs_ratio.conv1.0.75"), 0.5);
  EXPECT_GE(figure(scanned, "bearable_share.conv2"), 0);
  EXPECT_THAT(core::read_text(scanned / "report.html"), HasSubstr("<svg"));
}

TEST_F(JobsTest, TheSameJobGivesTheSameModel) {
  const graph::Model a = graph::load_onnx(train("a") / "model.onnx");
  const graph::Model b = graph::load_onnx(train("b") / "model.onnx");
  EXPECT_EQ(graph::content_hash(a), graph::content_hash(b));
}

TEST_F(JobsTest, AFinishedRunIsTakenUpAgainUnchanged) {
  const fs::path out = train();
  const core::Bytes model = core::read_file(out / "model.onnx");
  fs::remove(out / "model.onnx");
  train();
  EXPECT_EQ(core::read_file(out / "model.onnx"), model);
  EXPECT_EQ(report::read_metrics(out / "metrics.jsonl").size(), 4);
}

TEST_F(JobsTest, ACheckpointOfAnotherJobIsRefused) {
  train();
  const std::string message = graph::testing::message_of(core::ErrorKind::Refused, [&] {
    train("trained", "model: {name: mlp, widths: [4]}\ntrain: {epochs: 1, threads: 1}\n");
  });
  EXPECT_THAT(message, HasSubstr("checkpoint.h5"));
}

TEST_F(JobsTest, WrongJobsAreRefusedBeforeAnyWork) {
  using graph::testing::message_of;
  EXPECT_THAT(message_of(core::ErrorKind::Config, [&] { run("train", "x", {}, ""); }),
              HasSubstr("needs the input 'train'"));
  EXPECT_THAT(message_of(core::ErrorKind::Config,
                         [&] {
                           run("train", "x", {{"train", train_}, {"replya", test_}}, "");
                         }),
              HasSubstr("did you mean 'replay'"));
  EXPECT_THAT(message_of(core::ErrorKind::Config,
                         [&] {
                           run("train", "x", {{"train", train_}}, "train: {epocs: 3}");
                         }),
              HasSubstr("epochs"));
  EXPECT_THAT(message_of(core::ErrorKind::NotFound,
                         [&] {
                           run("train", "x", {{"train", train_}}, "train: {strategies: [l2sp]}");
                         }),
              HasSubstr("did you mean 'l2_sp'"));
  message_of(core::ErrorKind::NotFound, [&] {
    run("prune", "x", {{"model", folder_.path() / "none.onnx"}}, "");
  });
  core::write_file(folder_.path() / "bad.onnx", std::string_view("not a model"));
  message_of(core::ErrorKind::Corrupt, [&] {
    run("prune", "x", {{"model", folder_.path() / "bad.onnx"}}, "");
  });
}

TEST_F(JobsTest, AModelOfOtherDataIsRefused) {
  graph::save_onnx(graph::build_model({}, graph::testing::fashion_input(), 1),
                   folder_.path() / "fashion.onnx");
  const std::string message = graph::testing::message_of(core::ErrorKind::InvalidArgument, [&] {
    run("train",
        "x",
        {{"train", train_}, {"model", folder_.path() / "fashion.onnx"}},
        kTrainOptions);
  });
  EXPECT_THAT(message, HasSubstr("[-1, 1, 8, 8]"));
}

TEST_F(JobsTest, PruneRefusesAValueThatTheModelMeets) {
  const auto inputs = std::map<std::string, fs::path>{{"model", train() / "model.onnx"}};
  EXPECT_THAT(
      graph::testing::message_of(
          core::ErrorKind::InvalidArgument,
          [&] {
            run("prune", "pruned", inputs, "target: {metric: parameters, value: 1000000}\n");
          }),
      HasSubstr("is met already"));
}

TEST_F(JobsTest, EveryRewrittenModelKnowsTheModelItComesOf) {
  const fs::path trained = train() / "model.onnx";
  const std::string parent = graph::content_hash(graph::load_onnx(trained));
  const std::vector<std::tuple<std::string, std::string, std::string>> jobs{
      {"prune", "", "macs_ratio: 0.7\n"},
      {"quantise", "calibration", "samples: 16\n"},
      {"low_rank", "", "energy: 0.5\n"},
      {"sparsify", "", "share: 0.5\n"},
      {"share", "", "conv_bits: 3\n"},
      {"class_bias", "validation", "classes: [top left]\n"}};
  for (const auto& [kind, role, options] : jobs) {
    std::map<std::string, fs::path> inputs{{"model", trained}};
    if (!role.empty()) {
      inputs[role] = test_;
    }
    const fs::path out = run(kind, kind + "-stage", inputs, options);
    const auto& lineage = graph::load_onnx(out / "model.onnx").metadata.lineage;
    EXPECT_EQ(lineage.at("parent"), parent) << kind;
    EXPECT_EQ(lineage.at("stage"), kind + "-stage");
  }
}

}  // namespace

}  // namespace coppice::train
