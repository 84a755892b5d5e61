#include <gmock/gmock.h>

#include "compress/network.h"
#include "compress/prune.h"
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
  return criteria().get(criterion)(model, find_groups(model).at(0));
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
  const Criterion random = criteria().get("random");
  EXPECT_EQ(random(model, groups[0]), random(model, groups[0]));
  ChannelGroup renamed = groups[0];
  renamed.name = "other";
  EXPECT_NE(random(model, groups[0]), random(model, renamed));
}

TEST(Criteria, EveryOneGivesOneFiniteScorePerChannel) {
  const graph::Model model = make_resnet();  // each of its prunable groups has a BN
  for (const std::string& name : criteria().names()) {
    for (const ChannelGroup& group : find_groups(model)) {
      if (group.prunable) {
        const auto result = criteria().get(name)(model, group);
        EXPECT_EQ(std::ssize(result), group.channels) << name;
        EXPECT_THAT(result, testing::Each(testing::AllOf(testing::Ge(0), testing::Lt(1e6))))
            << name;
      }
    }
  }
}

}  // namespace

}  // namespace coppice::compress
