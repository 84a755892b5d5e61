#include "compress/criteria.h"

#include <gmock/gmock.h>

#include "compress/network.h"
#include "core/error.h"

namespace coppice::compress {

namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Three channels whose filters (of two weights each) are (3, 4), (0, 1), (0, 0), behind a BN with
/// scales 1, -2, 0.5.
graph::Model three_filters() {
  Network net(graph::DType::F32, {2, 4, 4});
  net.batch_norm("bn", net.conv("conv", "input", 3, 1));
  graph::Model model = net.build({net.conv("out", "bn", 2)});
  model.weights["conv.weight"] =
      graph::Tensor::from<float>({3, 2, 1, 1}, std::vector<float>{3, 4, 0, 1, 0, 0});
  model.weights["bn.scale"] = graph::Tensor::from<float>({3}, std::vector<float>{1, -2, 0.5});
  return model;
}

std::vector<double> scores(const std::string& criterion, const graph::Model& model) {
  return score_channels(criterion, model, find_groups(model).at(0));
}

TEST(Criteria, NormsOfFilters) {
  EXPECT_THAT(scores("l1", three_filters()), ElementsAre(7, 1, 0));
  EXPECT_THAT(scores("l2", three_filters()), ElementsAre(5, 1, 0));
}

/// A transposed convolution's filters are columns of its weight [in, out].
TEST(Criteria, NormsOfTransposedFilters) {
  Network net(graph::DType::F32, {2, 4, 4});
  net.append("up",
             graph::Op::ConvTranspose,
             {"input", net.weight("up.weight", {2, 3, 1, 1}, 1)},
             graph::ConvTransposeAttributes{});
  graph::Model model = net.build({net.conv("out", "up", 2)});
  model.weights["up.weight"] =
      graph::Tensor::from<float>({2, 3, 1, 1}, std::vector<float>{3, 0, 0, 4, 1, 0});
  EXPECT_THAT(scores("l1", model), ElementsAre(7, 1, 0));
  EXPECT_THAT(scores("l2", model), ElementsAre(5, 1, 0));
}

TEST(Criteria, NormsAddUpOverTiedProducers) {
  Network net(graph::DType::F32, {1, 4, 4});
  net.add("add", net.conv("a", "input", 2, 1), net.conv("b", "input", 2, 1));
  graph::Model model = net.build({net.conv("out", "add", 2)});
  model.weights["a.weight"] = graph::Tensor::from<float>({2, 1, 1, 1}, std::vector<float>{3, 1});
  model.weights["b.weight"] = graph::Tensor::from<float>({2, 1, 1, 1}, std::vector<float>{-4, 0});
  EXPECT_THAT(scores("l1", model), ElementsAre(7, 1));
  EXPECT_THAT(scores("l2", model), ElementsAre(5, 1));
}

TEST(Criteria, GeometricMedianSumsDistances) {
  const double ab = std::sqrt(18.0);  // (3, 4) to (0, 1)
  EXPECT_THAT(scores("geometric_median", three_filters()),
              ElementsAre(DoubleNear(ab + 5, 1e-9), DoubleNear(ab + 1, 1e-9), DoubleNear(6, 1e-9)));
}

TEST(Criteria, BatchNormScales) {
  EXPECT_THAT(scores("bn_scale", three_filters()), ElementsAre(1, 2, 0.5));
}

TEST(Criteria, BatchNormScalesNeedABatchNorm) {
  try {
    scores("bn_scale", make_mlp());
    FAIL();
  } catch (const core::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("group 'fc1' has no batch normalisation"));
  }
}

TEST(Criteria, RandomDependsOnTheGroupsNameAlone) {
  const graph::Model model = make_mlp();
  const auto groups = find_groups(model);
  const auto random = [&](const ChannelGroup& group) {
    return score_channels("random", model, group);
  };
  EXPECT_EQ(random(groups[0]), random(groups[0]));
  ChannelGroup renamed = groups[0];
  renamed.name = "other";
  EXPECT_NE(random(groups[0]), random(renamed));
}

/// Squared norms 25, 1, 0: the strongest is 25 / 25, the next 1 / 26, the last 0 / 26.
TEST(Criteria, LampDividesByAllThatAreNotWeaker) {
  EXPECT_THAT(scores("lamp", three_filters()),
              ElementsAre(DoubleNear(1, 1e-12), DoubleNear(1.0 / 26, 1e-12), 0));
  graph::Model zeros = three_filters();
  zeros.weights["conv.weight"] = graph::Tensor(graph::DType::F32, {3, 2, 1, 1});
  EXPECT_THAT(scores("lamp", zeros), ElementsAre(0, 0, 0));
}

TEST(Criteria, LampComparesGroupsAsTheyAre) {
  EXPECT_TRUE(criteria().get("lamp").comparable);
  EXPECT_TRUE(criteria().get("taylor").comparable);
  EXPECT_FALSE(criteria().get("l2").comparable);
}

TEST(Criteria, NormsAddUpOverConvolutionGroups) {
  Network net(graph::DType::F32, {1, 4, 4});
  net.conv("grouped", net.conv("conv", "input", 4, 1), 4, 1, 2);
  graph::Model model = net.build({net.conv("out", "grouped", 2)});
  model.weights["conv.weight"] =
      graph::Tensor::from<float>({4, 1, 1, 1}, std::vector<float>{3, 1, -4, 0});
  EXPECT_THAT(scores("l1", model), ElementsAre(7, 1)) << "channels 0 and 2, 1 and 3";
  EXPECT_THAT(scores("l2", model), ElementsAre(5, 1));
}

TEST(Criteria, ReadTheirStatistics) {
  const graph::Model model = three_filters();
  const Statistics statistics{{"conv",
                               {.mean_activation = {1, 2, 3},
                                .nonzero_share = {0.5, 0.25, 0},
                                .gate_gradient = {4, 5, 6},
                                .gate_fisher = {2, 3, 4}}}};
  const auto read = [&](const std::string& criterion) {
    return score_channels(criterion, model, find_groups(model).at(0), &statistics);
  };
  EXPECT_THAT(read("mean_activation"), ElementsAre(1, 2, 3));
  EXPECT_THAT(read("apoz"), ElementsAre(0.5, 0.25, 0));
  EXPECT_THAT(read("taylor"), ElementsAre(4, 5, 6));
  EXPECT_THAT(read("fisher"), ElementsAre(1, 1.5, 2));
}

TEST(Criteria, SayWhatTheyLack) {
  const graph::Model model = three_filters();
  const ChannelGroup group = find_groups(model).at(0);
  const auto refused = [&](const Statistics* statistics) -> std::string {
    try {
      score_channels("taylor", model, group, statistics);
    } catch (const core::Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(refused(nullptr), HasSubstr("'taylor' needs data; give the job an input 'train'"));
  const Statistics other{{"elsewhere", {}}};
  EXPECT_THAT(refused(&other), HasSubstr("no statistics of group 'conv'"));
  const Statistics few{{"conv", {.gate_gradient = {1, 2}}}};
  EXPECT_THAT(refused(&few), HasSubstr("no statistics of this model's group 'conv'"));
}

TEST(Criteria, EveryOneGivesOneFiniteScorePerChannel) {
  const graph::Model model = make_resnet();  // each of its prunable groups has a BN
  Statistics statistics;
  for (const ChannelGroup& group : find_groups(model)) {
    const std::vector<double> some(static_cast<size_t>(group.channels), 0.5);
    statistics[group.name] = {some, some, some, some};
  }
  for (const std::string& name : criteria().names()) {
    for (const ChannelGroup& group : find_groups(model)) {
      if (group.prunable) {
        const auto result = score_channels(name, model, group, &statistics);
        EXPECT_EQ(std::ssize(result), group.channels) << name;
        EXPECT_THAT(result, testing::Each(testing::AllOf(testing::Ge(0), testing::Lt(1e6))))
            << name;
      }
    }
  }
}

}  // namespace

}  // namespace coppice::compress
