#include "compress/prune.h"

#include <limits>

#include <gmock/gmock.h>

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
    if (criterion != "bn_scale" && criteria().get(criterion).needs == CriterionNeeds::Nothing) {
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

TEST(Prune, PerLayerCutsEveryGroupAlike) {
  PruneReport report;
  prune(zoo_model("cnn"), {.macs_ratio = 0.4, .scope = PruneScope::PerLayer}, &report);
  std::vector<double> shares;
  for (size_t i = 0; i < 3; ++i) {
    shares.push_back(static_cast<double>(report.rows[i].after) /
                     static_cast<double>(report.rows[i].before));
  }
  EXPECT_NEAR(shares[0], shares[1], 0.07);
  EXPECT_NEAR(shares[1], shares[2], 0.07);
  EXPECT_LT(shares[2], 0.8);
}

TEST(Prune, ObeysPatternsAndTheTightestOfSeveralCaps) {
  PruneReport report;
  prune(zoo_model("cnn"),
        {.macs_ratio = 0.4,
         .max_share_per_group = 0.9,
         .exclude = {"conv3*"},
         .caps = {{"conv*", 0.7}, {"conv1", 0.25}}},
        &report);
  EXPECT_GE(report.rows[0].after, 12);
  EXPECT_LT(report.rows[1].after, 20);
  EXPECT_EQ(report.rows[2].after, 64);
}

double meter(const graph::Model& model, const std::string& metric) {
  return make_meter({.metric = metric}, model)(model);
}

TEST(Prune, MeetsBudgetsOfOtherMetrics) {
  const graph::Model model = zoo_model("resnet");
  for (const char* metric : {"parameters", "bytes", "peak_memory"}) {
    PruneReport report;
    const graph::Model pruned = prune(model, {.target = {.metric = metric, .ratio = 0.6}}, &report);
    EXPECT_EQ(report.metric, metric);
    EXPECT_DOUBLE_EQ(report.cost_before, meter(model, metric));
    EXPECT_DOUBLE_EQ(report.cost_after, meter(pruned, metric));
    EXPECT_LE(report.cost_after, 0.6 * report.cost_before) << metric;
    if (report.metric != "peak_memory") {  // an engine that works on 16 channels at once has steps
      EXPECT_GT(report.cost_after, 0.35 * report.cost_before) << metric << ": cut too far";
    }
  }
}

TEST(Prune, MeetsAValue) {
  const graph::Model model = zoo_model("cnn");
  const graph::Model pruned = prune(model, {.target = {.metric = "parameters", .value = 9000}});
  EXPECT_LE(graph::cost(pruned).parameters, 9000);
  EXPECT_GT(graph::cost(pruned).parameters, 8000);
}

TEST(Prune, BytesOfTheInt8ArtefactAreAboutAQuarter) {
  const graph::Model model = zoo_model("cnn");
  const double whole = make_meter({.metric = "bytes"}, model)(model);
  const double int8 = make_meter({.metric = "bytes", .artefact = "int8"}, model)(model);
  EXPECT_GT(int8, 0.24 * whole);
  EXPECT_LT(int8, 0.4 * whole);
}

/// As a device would be measured, with a time for every MAC and some that nothing takes away.
TEST(Prune, BisectsTowardsALatency) {
  const graph::Model model = zoo_model("cnn");
  int64_t measured = 0;
  const Meter device = [&](const graph::Model& m) {
    ++measured;
    return 100 + static_cast<double>(graph::cost(m).macs) / 1000;
  };
  PruneReport report;
  const PruneOptions options{.target = {.metric = "latency", .ratio = 0.7}};
  prune(model, options, &report, {.meter = device});
  EXPECT_LE(report.cost_after, 0.7 * report.cost_before);
  EXPECT_GT(report.cost_after, 0.6 * report.cost_before);
  EXPECT_LE(measured, 12);
}

TEST(Prune, MeasuresLatencyOnTheEngine) {
  const graph::Model model = zoo_model("cnn");
  for (const char* artefact : {"float", "int8"}) {
    const Meter latency = make_meter(
        {.metric = "latency", .artefact = artefact, .backend = "reference", .runs = 5}, model);
    EXPECT_GT(latency(model), 0);
  }
}

TEST(Prune, RatiosRelateToTheReference) {
  const graph::Model model = zoo_model("cnn");
  const graph::Model half = prune(model, {.macs_ratio = 0.5});
  const PruneOptions options{.target = {.metric = "macs", .ratio = 0.4}};
  PruneReport report;
  const graph::Model pruned = prune(half, options, &report, {.reference = &model});
  EXPECT_LE(graph::cost(pruned).macs, 0.4 * static_cast<double>(graph::cost(model).macs));
  EXPECT_GT(graph::cost(pruned).macs, 0.3 * static_cast<double>(graph::cost(model).macs));
  EXPECT_EQ(report.macs_before, graph::cost(model).macs);
}

TEST(LeastCount, FindsTheFewestThatMeetTheLimit) {
  const auto falling = [](int64_t count) {
    return 100.0 - static_cast<double>(count);
  };
  EXPECT_EQ(least_count(50, falling, 100), 0);
  EXPECT_EQ(least_count(50, falling, 99.5), 1);
  EXPECT_EQ(least_count(50, falling, 63), 37);
  EXPECT_EQ(least_count(50, falling, 50), 50);
  EXPECT_EQ(least_count(50, falling, 49), std::nullopt);
}

TEST(LeastCount, IsWithinTheLimitWhereCostsRise) {
  const auto bumpy = [](int64_t count) {
    return 100.0 - static_cast<double>(count) + (count % 8 == 0 ? 0.0 : 6.0);
  };
  for (double limit = 60; limit < 110; limit += 0.7) {
    const auto count = least_count(64, bumpy, limit);
    ASSERT_TRUE(count);
    EXPECT_LE(bumpy(*count), limit);
  }
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

TEST(Prune, RefusesPatternsThatMatchNothing) {
  expect_refused(make_cnn(),
                 {.exclude = {"block*"}},
                 HasSubstr("exclude: no node of the model matches 'block*'"));
  expect_refused(make_cnn(),
                 {.caps = {{"convl1", 0.5}}},
                 HasSubstr("caps: the model has no node 'convl1' (did you mean 'conv1'?)"));
  expect_refused(
      make_cnn(), {.exclude = {"input"}}, HasSubstr("'input' carries no layer's channels"));
}

TEST(Prune, RefusesTargetsThatContradictThemselves) {
  expect_refused(make_cnn(),
                 {.target = {.metric = "latency"}},
                 HasSubstr("metric latency needs a ratio or a value"));
  expect_refused(make_cnn(),
                 {.target = {.metric = "bytes", .ratio = 0.5, .value = 100}},
                 HasSubstr("ratio or value, not both"));
}

TEST(Prune, RefusesAValueThatIsMetAlready) {
  expect_refused(make_cnn(),
                 {.target = {.metric = "parameters", .value = 1e6}},
                 HasSubstr("target parameters 1000000 is met already: the model has "));
}

TEST(Prune, RefusesAValueThatTheReferenceMeets) {
  const graph::Model model = make_cnn();
  const PruneOptions options{.target = {.metric = "parameters", .value = 1e6}};
  EXPECT_THROW(prune(model, options, nullptr, {.reference = &model}), core::Error);
  // What an earlier step brought below the value is left as it is.
  const auto parameters = static_cast<double>(graph::cost(model).parameters);
  const graph::Model small = prune(model, {.macs_ratio = 0.5});
  const PruneOptions last{.target = {.metric = "parameters", .value = parameters - 1}};
  EXPECT_EQ(graph::content_hash(prune(small, last, nullptr, {.reference = &model})),
            graph::content_hash(small));
}

TEST(Prune, LeavesTheStepsOfAScheduleToAPipeline) {
  expect_refused(
      make_cnn(), {.schedule = {.steps = 3}}, HasSubstr("schedule.steps is 3, but one pruning"));
}

TEST(Prune, SaysWhatStandsInTheWayOfABudget) {
  expect_refused(make_cnn(),
                 {.min_channels = 5,
                  .exclude = {"fc"},
                  .caps = {{"conv2", 0.25}},
                  .target = {.metric = "parameters", .value = 10}},
                 AllOf(HasSubstr("target parameters 10 cannot be reached: the least is 1"),
                       HasSubstr("'conv1' has 8 channels and keeps 5 (min_channels 5)"),
                       HasSubstr("'conv2' has 12 channels and keeps 9 (cap 'conv2' 0.25)"),
                       HasSubstr("'fc' is excluded")));
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
