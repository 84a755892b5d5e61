#include "train/judgement.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/models.h"
#include "train/judgement_page.h"

namespace coppice::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

data::Schema schema_of(std::vector<std::string> classes, std::vector<std::string> targets = {}) {
  data::Schema schema;
  schema.task = targets.empty() ? "classification" : "regression";
  schema.type = data::ElementType::F32;
  schema.sample_shape = {2};
  schema.class_names = std::move(classes);
  schema.target_names = std::move(targets);
  return schema;
}

data::Batch batch_of(std::vector<int64_t> labels, std::vector<float> targets = {}) {
  data::Batch batch;
  batch.size = static_cast<int64_t>(labels.size());
  for (int64_t i = 0; i < batch.size; ++i) {
    batch.ids.push_back(100 + i);
  }
  batch.labels = std::move(labels);
  batch.targets = std::move(targets);
  return batch;
}

std::string page_of(const Judgement& judgement) {
  report::HtmlReport page("Judgement");
  page.facts(judgement_facts(judgement));
  add_judgement(page, judgement, "test data");
  return page.str();
}

TEST(Judgement, OfClassesHasEveryFigure) {
  Predictions predictions({}, schema_of({"cat", "dog", "eel"}));
  // Two batches; the sample without a label counts nowhere.
  predictions.add(batch_of({0, 1, -1}), std::vector<float>{2, 0, 0, 0, 1, 0, 9, 9, 9});
  predictions.add(batch_of({1, 0}), std::vector<float>{3, 1, 0, 1, 0, 0});
  const Judgement judgement = judge(predictions);
  EXPECT_EQ(judgement.samples, 4);
  EXPECT_DOUBLE_EQ(judgement.figures.at("accuracy"), 0.75);
  EXPECT_THAT(judgement.confusion,
              ElementsAre(ElementsAre(2, 0, 0), ElementsAre(1, 1, 0), ElementsAre(0, 0, 0)));
  EXPECT_DOUBLE_EQ(judgement.figures.at("precision.cat"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(judgement.figures.at("recall.dog"), 0.5);
  EXPECT_DOUBLE_EQ(judgement.figures.at("f1.dog"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(judgement.figures.at("macro_f1"), (0.8 + 2.0 / 3) / 2);
  const auto entropy = [](double own, double a, double b) {
    return std::log(std::exp(own) + std::exp(a) + std::exp(b)) - own;
  };
  EXPECT_NEAR(judgement.figures.at("loss"),
              (entropy(2, 0, 0) + entropy(1, 0, 0) + entropy(1, 3, 0) + entropy(1, 0, 0)) / 4,
              1e-12);
  EXPECT_THAT(judgement.figures, Not(::testing::Contains(Key("recall.eel"))));
  EXPECT_THAT(judgement.figures, Not(::testing::Contains(Key("top5_accuracy")))) << "of three";
  for (const auto& [name, value] : judgement.figures) {
    EXPECT_TRUE(std::isfinite(value)) << name;
  }
  const std::string page = page_of(judgement);
  EXPECT_THAT(page, HasSubstr("weighted mean"));
  EXPECT_THAT(page, HasSubstr("dog taken for cat: 50.0 % (1)"));
  EXPECT_THAT(page, HasSubstr("gap to confidence"));
}

TEST(Judgement, OfTargetsIsPerTargetAndMean) {
  JudgeOptions options{.task = "regression", .loss = "huber", .huber_delta = 1};
  Predictions predictions(options, schema_of({}, {"width", "height"}));
  predictions.add(batch_of({-1, -1}, {1, 10, 3, 20}), std::vector<float>{1.5, 10, 3, 24});
  const Judgement judgement = judge(predictions);
  EXPECT_DOUBLE_EQ(judgement.figures.at("mae.width"), 0.25);
  EXPECT_DOUBLE_EQ(judgement.figures.at("mae.height"), 2);
  EXPECT_DOUBLE_EQ(judgement.figures.at("mae"), 1.125);
  EXPECT_DOUBLE_EQ(judgement.figures.at("rmse.height"), std::sqrt(8.0));
  EXPECT_DOUBLE_EQ(judgement.figures.at("r2.height"), 1 - 16.0 / 50);
  EXPECT_DOUBLE_EQ(judgement.figures.at("loss"), (0.5 * 0.25 + 0 + 0 + (4 - 0.5)) / 4);
  EXPECT_THAT(judgement.predicted_values[1], ElementsAre(10, 24));
  const std::string page = page_of(judgement);
  EXPECT_THAT(page, HasSubstr("height: predicted over true"));
  EXPECT_THAT(page, HasSubstr("width: residuals"));
}

TEST(Judgement, OfReconstructionsFindsAnomalies) {
  JudgeOptions options{.task = "reconstruction", .loss = "mae", .huber_delta = 1};
  Predictions predictions(options, schema_of({"good", "worn", "broken"}));
  predictions.add(batch_of({0, 0, 1, 2, -1}),
                  std::vector<float>{0, 0, 0, 1, 0, 2, 4, 0, 8, 8},
                  std::vector<float>(10, 0));
  EXPECT_THAT(predictions.errors(), ElementsAre(0, 0.5, 2, 8, 64));
  EXPECT_DOUBLE_EQ(predictions.loss(), (0 + 0.5 + 1 + 2 + 8) / 5);
  const Judgement judgement = judge(predictions, {.threshold = 1, .normal_classes = {"good"}});
  EXPECT_DOUBLE_EQ(judgement.figures.at("auroc"), 1);
  EXPECT_DOUBLE_EQ(judgement.figures.at("f1"), 1);
  EXPECT_DOUBLE_EQ(judgement.figures.at("anomaly_share"), 0.6);
  EXPECT_DOUBLE_EQ(judgement.figures.at("reconstruction_error"), 74.5 / 5);
  const Judgement wider = judge(predictions, {.threshold = 1, .normal_classes = {"good", "worn"}});
  EXPECT_DOUBLE_EQ(wider.figures.at("precision"), 0.5);
  EXPECT_DOUBLE_EQ(wider.figures.at("false_alarm_rate"), 1.0 / 3);
  EXPECT_THAT(page_of(judgement), HasSubstr("threshold 1"));
  EXPECT_THAT(judge(predictions).figures, Not(::testing::Contains(Key("f1")))) << "no threshold";
  EXPECT_THAT(graph::testing::message_of(
                  core::ErrorKind::InvalidArgument,
                  [&] { judge(predictions, {.threshold = {}, .normal_classes = {"god"}}); }),
              HasSubstr("did you mean 'good'"));
}

TEST(Judgement, WithoutLabelsAllErrorsAreShown) {
  JudgeOptions options{.task = "reconstruction", .loss = "mse", .huber_delta = 1};
  Predictions predictions(options, schema_of({}));
  predictions.add(batch_of({-1, -1}), std::vector<float>{0, 0, 0, 2}, std::vector<float>(4, 0));
  const Judgement judgement = judge(predictions, {.threshold = 1, .normal_classes = {}});
  EXPECT_THAT(judgement.normal_errors, ElementsAre(0, 2));
  EXPECT_FALSE(judgement.anomalies);
  EXPECT_DOUBLE_EQ(judgement.figures.at("anomaly_share"), 0.5);
  EXPECT_THAT(page_of(judgement), HasSubstr("all samples"));
}

TEST(Judgement, RefusesWhatHasNoTruthOrNoNumber) {
  using graph::testing::message_of;
  const auto invalid = core::ErrorKind::InvalidArgument;
  EXPECT_THAT(message_of(invalid,
                         [] {
                           Predictions({.task = "regresion", .loss = "mse", .huber_delta = 1},
                                       schema_of({"a"}));
                         }),
              HasSubstr("did you mean 'regression'"));
  EXPECT_THAT(message_of(invalid,
                         [] {
                           Predictions({.task = "regression", .loss = "mse", .huber_delta = 1},
                                       schema_of({"a"}));
                         }),
              HasSubstr("no regression targets"));
  EXPECT_THAT(message_of(invalid, [] { Predictions({}, schema_of({}, {"t"})); }),
              HasSubstr("no classes"));
  Predictions predictions({}, schema_of({"a", "b"}));
  EXPECT_THAT(message_of(invalid, [&] { judge(predictions); }), HasSubstr("no labels"));
  EXPECT_THAT(message_of(invalid,
                         [&] {
                           predictions.add(batch_of({0}), std::vector<float>{1, 2, 3});
                         }),
              HasSubstr("3 logits for 2 classes"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message_of(core::ErrorKind::Numeric,
                         [&] {
                           predictions.add(batch_of({0, 1}), std::vector<float>{1, 2, 3, nan});
                         }),
              HasSubstr("sample 101"));
}

TEST(Judgement, QuickFiguresArePartOfAll) {
  Predictions predictions({}, schema_of({"a", "b", "c", "d", "e", "f"}));
  predictions.add(batch_of({5, 0}), std::vector<float>{6, 5, 4, 3, 2, 1, 6, 5, 4, 3, 2, 1});
  const auto quick = quick_figures(predictions);
  EXPECT_DOUBLE_EQ(quick.at("accuracy"), 0.5);
  EXPECT_DOUBLE_EQ(quick.at("top5_accuracy"), 0.5);
  const Judgement judgement = judge(predictions);
  for (const auto& [name, value] : quick) {
    EXPECT_DOUBLE_EQ(judgement.figures.at(name), value) << name;
  }
  for (const char* task : {"classification", "regression", "reconstruction"}) {
    EXPECT_FALSE(main_metric(task).empty());
  }
}

}  // namespace
}  // namespace coppice::train
