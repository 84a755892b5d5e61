#include "loop/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "loop/fake_trainer.h"
#include "loop/page_check.h"
#include "loop/reports.h"
#include "loop/tiny_world.h"

namespace coppice::loop {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::Not;

class ExperimentTest : public ::testing::Test {
 protected:
  ExperimentTest() {
    options_.data = world_.data();
    options_.student = TinyWorld::job({24});
    options_.compress = TinyWorld::compression();
  }

  ExperimentResult run() {
    return run_experiment(options_, folder(), trainer_, jobs::StageCache(folder() / "stages"));
  }

  std::filesystem::path folder() const { return world_.folder() / "run"; }

  TinyWorld world_;
  ExperimentOptions options_;
  FakeTrainer trainer_;
};

TEST_F(ExperimentTest, TrainsCompressesAndJudgesWhatShips) {
  const ExperimentResult result = run();
  EXPECT_THAT(trainer_.started(),
              ElementsAre("student", "prune", "recover", "quantise", "evaluate", "evaluate-float"));
  const auto& f = result.figures;
  EXPECT_GT(f.at("accuracy"), 0.95) << "nothing is withheld";
  EXPECT_GT(f.at("float_accuracy"), 0.95);
  EXPECT_LE(f.at("macs"), 0.7 * f.at("float_macs"));
  EXPECT_LT(f.at("bytes"), f.at("float_bytes"));
  EXPECT_GT(f.at("latency_us"), 0);
  EXPECT_EQ(f.at("bytes"),
            static_cast<double>(std::filesystem::file_size(folder() / "model.onnx")));
  EXPECT_EQ(core::read_file(folder() / "model.onnx"), core::read_file(result.lineage.artefact));
  EXPECT_EQ(result.confusion.size(), kClasses);
}

TEST_F(ExperimentTest, ShipsTheFloatModelWhenCompressionIsOff) {
  options_.compress.enabled = false;
  const ExperimentResult result = run();
  EXPECT_THAT(trainer_.started(), ElementsAre("student", "evaluate"));
  EXPECT_EQ(result.lineage.artefact, result.lineage.student);
  EXPECT_THAT(result.figures, Not(Contains(Key("float_accuracy"))));
}

TEST_F(ExperimentTest, DistilsFromATeacherWhenAskedTo) {
  options_.use_teacher = true;
  options_.teacher = TinyWorld::job({32});
  std::map<std::string, jobs::JobSpec> specs;
  trainer_.on_start = [&](const jobs::JobSpec& spec) {
    specs.emplace(spec.name, spec);
  };
  const ExperimentResult result = run();
  EXPECT_EQ(trainer_.started().front(), "teacher");
  EXPECT_EQ(specs.at("student").inputs.at("teacher"), result.lineage.teacher);
  EXPECT_EQ(specs.at("recover").inputs.at("teacher"), result.lineage.teacher);
}

TEST_F(ExperimentTest, RecoversFromTheStudentWithoutATeacher) {
  std::map<std::string, jobs::JobSpec> specs;
  trainer_.on_start = [&](const jobs::JobSpec& spec) {
    specs.emplace(spec.name, spec);
  };
  const ExperimentResult result = run();
  EXPECT_THAT(specs.at("student").inputs, Not(Contains(Key("teacher"))));
  EXPECT_EQ(specs.at("recover").inputs.at("teacher"), result.lineage.student);
  EXPECT_THAT(specs.at("student").inputs, Contains(Key("validation")));
}

TEST_F(ExperimentTest, TheReportStandsAlone) {
  const auto file = folder() / "report.html";
  write_report(run(), "Experiment: tiny", "seed: 1 # <resolved>", file);
  const std::string page = core::read_text(file);
  for (const char* part :
       {"Experiment: tiny", "student loss: 0.5 at 1", "latency_us", "# &lt;resolved&gt;"}) {
    testing::expect_on_page(page, part);
  }
  testing::expect_stands_alone(page);
}

}  // namespace
}  // namespace coppice::loop
