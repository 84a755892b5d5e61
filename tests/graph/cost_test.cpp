#include "graph/cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/models.h"

namespace coppice::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::model_of;
using testing::node_of;
using ::testing::Pair;

TEST(Cost, CountsAConvolutionByHand) {
  Builder builder(DType::F32, {16, 28, 28}, core::Rng(1));
  const auto x = builder.conv(builder.input(), 32, {.kernel = {3, 3}, .pads = {1, 1, 1, 1}}, true);
  const Cost c = cost(builder.build({x}));
  EXPECT_EQ(c.macs, 28 * 28 * 32 * 16 * 9);  // 3 612 672
  EXPECT_EQ(c.parameters, 32 * 16 * 9 + 32);
  EXPECT_EQ(c.weight_bytes, 4 * (32 * 16 * 9 + 32));
  EXPECT_EQ(c.activation_bytes, 4 * 28 * 28 * (16 + 32));
}

TEST(Cost, CountsGroupsAndStrides) {
  Builder builder(DType::F32, {8, 10, 10}, core::Rng(1));
  const auto x =
      builder.conv(builder.input(), 8, {.kernel = {3, 3}, .stride = {2, 2}, .groups = 8}, false);
  const Cost c = cost(builder.build({x}));
  EXPECT_EQ(c.macs, 4 * 4 * 8 * 9);
  EXPECT_EQ(c.parameters, 8 * 9);
}

TEST(Cost, LeavesRunningStatisticsAndConstantsOut) {
  Builder builder(DType::U8, {2, 4, 4}, core::Rng(1));
  auto x = builder.normalise(builder.input(), {1, 2}, {3, 4});
  x = builder.gemm(builder.flatten(builder.batch_norm(x)), 5);
  const Model model = builder.build({x});
  const Cost c = cost(model);
  EXPECT_EQ(c.macs, 32 * 5);
  EXPECT_EQ(c.parameters, 2 * 2 + 32 * 5 + 5);
  EXPECT_EQ(c.weight_bytes, 4 * (2 + 2 + 4 * 2 + 32 * 5 + 5));
  EXPECT_THAT(macs_by_node(model), ElementsAre(Pair("gemm1", 160)));
  EXPECT_THAT(parameters_by_node(model), ElementsAre(Pair("bn1", 4), Pair("gemm1", 165)));
}

TEST(Cost, CountsQuantisedWeightsAsStored) {
  const Model model =
      model_of({{"x", {10}}},
               {{"w.i8", Tensor(DType::I8, {4, 10})},
                {"scale", testing::scalar(0.5F)},
                {"zero", Tensor(DType::I8, {})}},
               {node_of("w", Op::DequantizeLinear, {"w.i8", "scale", "zero"}, AxisAttributes{0}),
                node_of("y", Op::Gemm, {"x", "w"})});
  const Cost c = cost(model);
  EXPECT_EQ(c.macs, 40);
  EXPECT_EQ(c.parameters, 40);
  EXPECT_EQ(c.weight_bytes, 40 + 4 + 1);
  EXPECT_EQ(c.activation_bytes, 4 * 14);  // the dequantised weight is a constant
}

TEST(Cost, CountsSharedWeightsOnce) {
  const Model model =
      model_of({{"x", {6}}},
               {{"w", Tensor(DType::F32, {6, 6})}},
               {node_of("a", Op::Gemm, {"x", "w"}), node_of("b", Op::Gemm, {"a", "w"})});
  EXPECT_EQ(cost(model).parameters, 36);
  EXPECT_EQ(cost(model).macs, 72);
}

TEST(Cost, KeepsAResidualAliveUntilItIsAdded) {
  const Model model =
      model_of({{"x", {10}}},
               {{"up", Tensor(DType::F32, {30, 10})}, {"down", Tensor(DType::F32, {10, 30})}},
               {node_of("a", Op::Gemm, {"x", "up"}),
                node_of("b", Op::Relu, {"a"}),
                node_of("c", Op::Gemm, {"b", "down"}),
                node_of("d", Op::Add, {"c", "x"})});
  EXPECT_EQ(cost(model).activation_bytes, 4 * (10 + 30 + 30));  // x, a and b
}

TEST(Summary, ListsEveryNodeAndTheTotal) {
  const Model model = testing::model_with_every_op();
  const std::string text = summary(model);
  for (const Node& node : model.graph.nodes) {
    EXPECT_THAT(text, HasSubstr(node.name + " "));
  }
  EXPECT_THAT(text, HasSubstr("[n, 4, 8, 8]"));
  EXPECT_THAT(text, HasSubstr(std::to_string(cost(model).macs)));
}

}  // namespace
}  // namespace coppice::graph
