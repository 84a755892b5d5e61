#include "loop/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.h"
#include "data/split.h"
#include "graph/onnx.h"
#include "loop/fake_trainer.h"
#include "loop/import.h"
#include "loop/tiny_world.h"

namespace coppice::loop {
namespace {

class JudgeTest : public ::testing::Test {
 protected:
  JudgeTest() {
    DataOptions options = world_.data();
    options.field = 0;
    data_ = import_data(options, {"bottom right"}, world_.folder() / "versions", 1);
    model_ = fitted_network(*data_.train.samples, 1);
    artefact_ = graph::to_onnx(model_);
    scenario_ = TinyWorld::scenario();
  }

  Judge judge(uint64_t seed = 1) const { return {data_.test.samples, scenario_, {}, seed}; }

  TinyWorld world_;
  ImportedData data_;
  graph::Model model_;
  core::Bytes artefact_;
  data::ScenarioOptions scenario_;
};

TEST_F(JudgeTest, CountsEveryImageUnderItsClass) {
  const auto confusion = confusion_of(artefact_, *data_.test.samples, {});
  EXPECT_EQ(confusion.total(), kTestImages);
  EXPECT_EQ(confusion.classes(), kClasses);
  for (int64_t known = 0; known < 3; ++known) {
    EXPECT_EQ(confusion.at(known, known), kTestImages / kClasses);
  }
  EXPECT_EQ(confusion.at(3, 3), 0) << "a class that was never trained on";
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 0.75);
}

TEST_F(JudgeTest, JudgesOnTheClassesThatOccurInThePhase) {
  Judge judge = this->judge();
  const auto& clean = judge.judge("a", artefact_, scenario_.phases[0]);
  EXPECT_EQ(clean.total(), kTestImages * 3 / 4);
  EXPECT_DOUBLE_EQ(clean.accuracy(), 1);
  const auto& wider = judge.judge("a", artefact_, scenario_.phases[2]);
  EXPECT_EQ(wider.total(), kTestImages);
  EXPECT_DOUBLE_EQ(wider.accuracy(), 0.75);
}

TEST_F(JudgeTest, ShowsTheImagesAsThePhaseDriftsThem) {
  scenario_.phases[1].transforms = {{"rotate", 1, 90, 90}};
  const auto drifted = judge().judge("a", artefact_, scenario_.phases[1]);
  EXPECT_LT(drifted.accuracy(), 0.5);
  scenario_.phases[1].transforms = {{"noise", 1, 0.6, 0.6}};
  const auto first = judge().judge("a", artefact_, scenario_.phases[1]);
  const auto again = judge().judge("a", artefact_, scenario_.phases[1]);
  EXPECT_LT(first.accuracy(), 1);
  for (int64_t t = 0; t < kClasses; ++t) {
    for (int64_t p = 0; p < kClasses; ++p) {
      EXPECT_EQ(first.at(t, p), again.at(t, p)) << "the same seed draws the same noise";
    }
  }
}

TEST_F(JudgeTest, KeepsResultsByArtefactAndPhase) {
  Judge judge = this->judge();
  const auto& first = judge.judge("a", artefact_, scenario_.phases[0]);
  EXPECT_EQ(&judge.judge("a", {}, scenario_.phases[0]), &first) << "judged once";
  graph::Model other = model_;
  confuse(other);
  EXPECT_DOUBLE_EQ(judge.judge("b", graph::to_onnx(other), scenario_.phases[0]).accuracy(), 0);
  EXPECT_DOUBLE_EQ(first.accuracy(), 1);
}

}  // namespace
}  // namespace coppice::loop
