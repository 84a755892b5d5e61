#include "compress/prune.h"

#include <limits>
#include <numeric>

#include <gmock/gmock.h>

#include "compress/cut_plan.h"
#include "compress/network.h"
#include "core/error.h"
#include "graph/cost.h"
#include "graph/zoo.h"

namespace coppice::compress {

namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

graph::Model zoo_model(const std::string& name) {
  return graph::build_model(
      {.name = name, .widths = {16, 32, 64}, .width_multiplier = 0.25},
      {.sample_shape = {1, 16, 16}, .class_names = std::vector<std::string>(10, "c")},
      3);
}

TEST(CutPlan, RanksGloballyAfterNormalisingEachGroup) {
  // Group 1 has a hundred times the scale of group 0; relative to their means, the order is 0:a,
  // 1:a, 1:b, 0:b.
  const CutPlan plan(
      {3, 3}, {{0.1, 0.8, 2.1}, {200, 30, 370}}, {.max_share_per_group = 0.67, .min_channels = 1});
  EXPECT_EQ(plan.size(), 4);
  EXPECT_THAT(plan.keep(0), ElementsAre(ElementsAre(0, 1, 2), ElementsAre(0, 1, 2)));
  EXPECT_THAT(plan.keep(1), ElementsAre(ElementsAre(1, 2), ElementsAre(0, 1, 2)));
  EXPECT_THAT(plan.keep(2), ElementsAre(ElementsAre(1, 2), ElementsAre(0, 2)));
  EXPECT_THAT(plan.keep(3), ElementsAre(ElementsAre(2), ElementsAre(0, 2)))
      << "0.8 of mean 1 goes before 200 of mean 200";
  EXPECT_THAT(plan.keep(4), ElementsAre(ElementsAre(2), ElementsAre(2)));
}

TEST(CutPlan, LeavesGroupsWithoutScoresWhole) {
  const CutPlan plan({4, 4}, {{}, {4, 3, 2, 1}}, {.max_share_per_group = 0.5, .min_channels = 1});
  EXPECT_EQ(plan.size(), 2);
  EXPECT_THAT(plan.keep(2), ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(0, 1)));
}

TEST(CutPlan, RoundsWhatIsKeptUp) {
  const PruneOptions options{.max_share_per_group = 1, .min_channels = 1, .round_to = 4};
  std::vector<double> scores(10);
  std::iota(scores.begin(), scores.end(), 1);
  const CutPlan plan({10, 3}, {scores, {1, 2, 3}}, options);
  EXPECT_EQ(least_kept(10, options), 4);
  EXPECT_EQ(least_kept(3, options), 1)
      << "a group with fewer channels than the multiple is cut freely";
  for (int64_t count = 0; count <= plan.size(); ++count) {
    const auto kept = std::ssize(plan.keep(count)[0]);
    EXPECT_TRUE(kept == 10 || kept % 4 == 0) << kept;
  }
  EXPECT_EQ(std::ssize(plan.keep(plan.size())[0]), 4);
}

TEST(CutPlan, LeastKeptObeysEveryCap) {
  EXPECT_EQ(least_kept(16, {.max_share_per_group = 0.75, .min_channels = 1}), 4);
  EXPECT_EQ(least_kept(16, {.max_share_per_group = 0.75, .min_channels = 6}), 6);
  EXPECT_EQ(least_kept(16, {.max_share_per_group = 0, .min_channels = 1}), 16);
  EXPECT_EQ(least_kept(3, {.max_share_per_group = 1, .min_channels = 4}), 3);
  EXPECT_EQ(least_kept(8, {.max_share_per_group = 1, .min_channels = 1}), 1) << "one always stays";
}

TEST(Prune, MeetsTheBudgetNarrowly) {
  for (const char* name : {"mlp", "cnn", "resnet", "mobilenet_v2", "ds_cnn", "lenet5"}) {
    const graph::Model model = zoo_model(name);
    for (const double ratio : {0.8, 0.5, 0.25}) {
      PruneReport report;
      const graph::Model pruned = prune(model, {.criterion = "l2", .macs_ratio = ratio}, &report);
      graph::verify(pruned);
      EXPECT_EQ(report.macs_before, graph::cost(model).macs);
      EXPECT_EQ(report.macs_after, graph::cost(pruned).macs);
      const double reached =
          static_cast<double>(report.macs_after) / static_cast<double>(report.macs_before);
      EXPECT_LE(reached, ratio) << name;
      EXPECT_GT(reached, ratio - 0.12) << name << " was cut further than asked";
    }
  }
}

TEST(Prune, ReportsEveryGroup) {
  PruneReport report;
  const graph::Model pruned = prune(zoo_model("cnn"), {.macs_ratio = 0.5}, &report);
  ASSERT_EQ(report.rows.size(), 4U);
  EXPECT_EQ(report.rows[0].group, "conv1");
  EXPECT_EQ(report.rows[1].before, 32);
  EXPECT_EQ(report.rows[1].after, pruned.weight("conv2.weight").dim(0));
  EXPECT_EQ(report.rows[3].after, 10) << "classes stay";
}

TEST(Prune, IsDeterministic) {
  for (const std::string& criterion : criteria().names()) {
    if (criterion != "bn_scale") {
      const PruneOptions options{.criterion = criterion, .macs_ratio = 0.4};
      EXPECT_EQ(graph::content_hash(prune(zoo_model("cnn"), options)),
                graph::content_hash(prune(zoo_model("cnn"), options)));
    }
  }
}

TEST(Prune, CutsTheWeakestChannels) {
  graph::Model model = make_cnn();
  graph::Tensor weight = model.weight("conv2.weight").clone();
  const auto row = static_cast<size_t>(weight.size() / 12);
  for (const size_t weak : {2U, 7U, 9U}) {
    for (float& value : weight.data<float>().subspan(weak * row, row)) {
      value *= 0.01F;
    }
  }
  model.weights["conv2.weight"] = weight;
  PruneReport report;
  const graph::Model pruned =
      prune(model, {.macs_ratio = 0.875, .exclude = {"conv1", "fc"}}, &report);
  ASSERT_EQ(report.rows[1].after, 9);
  EXPECT_EQ(pruned.weight("conv2.bias").data<float>()[2],
            model.weight("conv2.bias").data<float>()[3]);
  EXPECT_EQ(pruned.weight("conv2.bias").data<float>()[8],
            model.weight("conv2.bias").data<float>()[11]);
}

TEST(Prune, ObeysCapsAndExclusions) {
  PruneReport report;
  prune(zoo_model("cnn"),
        {.macs_ratio = 0.45, .max_share_per_group = 0.5, .round_to = 8, .exclude = {"relu1"}},
        &report);
  EXPECT_EQ(report.rows[0].after, 16) << "the ReLU carries conv1's channels";
  for (size_t i = 1; i < 3; ++i) {
    EXPECT_GE(report.rows[i].after, report.rows[i].before / 2);
    EXPECT_EQ(report.rows[i].after % 8, 0);
  }
}

TEST(Prune, ARatioOfOneCutsNothing) {
  const graph::Model model = make_resnet();
  EXPECT_EQ(graph::content_hash(prune(model, {.macs_ratio = 1})), graph::content_hash(model));
}

void expect_refused(const graph::Model& model,
                    const PruneOptions& options,
                    const testing::Matcher<std::string>& message,
                    core::ErrorKind kind = core::ErrorKind::InvalidArgument) {
  try {
    prune(model, options);
    FAIL() << "was not refused";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_THAT(std::string(error.what()), message);
  }
}

TEST(Prune, SaysWhyNothingCanBeCut) {
  expect_refused(make_cnn(),
                 {.min_channels = 12, .exclude = {"fc"}},
                 AllOf(HasSubstr("nothing can be cut"),
                       HasSubstr("'conv1' has 8 channels"),
                       HasSubstr("'fc' is excluded"),
                       HasSubstr("'logits' reaches a model input or output")));
}

TEST(Prune, SaysTheLeastReachableRatio) {
  PruneReport report;
  prune(zoo_model("cnn"), {.macs_ratio = 0.36, .max_share_per_group = 0.5}, &report);
  expect_refused(zoo_model("cnn"),
                 {.macs_ratio = 0.1, .max_share_per_group = 0.5},
                 AllOf(HasSubstr("macs_ratio 0.1 cannot be reached: the least is 0.2"),
                       HasSubstr("max_share_per_group 0.5")));
}

TEST(Prune, RefusesUnknownNames) {
  expect_refused(
      make_cnn(), {.exclude = {"convl1"}}, HasSubstr("no node 'convl1' (did you mean 'conv1'?)"));
  expect_refused(make_cnn(),
                 {.criterion = "l3"},
                 HasSubstr("unknown prune criterion 'l3' (did you mean"),
                 core::ErrorKind::NotFound);
}

TEST(Prune, RefusesOptionsOutOfRange) {
  expect_refused(make_cnn(), {.macs_ratio = 0}, HasSubstr("macs_ratio"));
  expect_refused(make_cnn(), {.macs_ratio = 1.5}, HasSubstr("macs_ratio"));
  expect_refused(make_cnn(), {.max_share_per_group = -1}, HasSubstr("max_share_per_group"));
  expect_refused(make_cnn(), {.min_channels = 0}, HasSubstr("min_channels"));
  expect_refused(make_cnn(), {.round_to = 0}, HasSubstr("round_to"));
}

TEST(Prune, RefusesWeightsThatAreNotFinite) {
  graph::Model model = make_cnn();
  graph::Tensor weight = model.weight("conv2.weight").clone();
  weight.data<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  model.weights["conv2.weight"] = weight;
  expect_refused(model, {}, HasSubstr("group 'conv2' are not finite"), core::ErrorKind::Numeric);
}

}  // namespace

}  // namespace coppice::compress
