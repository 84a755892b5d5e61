#include <algorithm>
#include <map>

#include <gmock/gmock.h>

#include "compress/channels.h"
#include "compress/network.h"
#include "core/error.h"
#include "graph/models.h"
#include "graph/zoo.h"

namespace coppice::compress {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

/// "node:weight[dimension]@offset+block" with a star for a producer.
std::string describe(const ChannelSlice& slice) {
  return slice.weight + "[" + std::to_string(slice.dimension) + "]@" +
         std::to_string(slice.offset) + "+" + std::to_string(slice.block) +
         (slice.producer ? "*" : "");
}

std::vector<std::string> slices(const ChannelGroup& group) {
  std::vector<std::string> text;
  for (const ChannelSlice& slice : group.slices) {
    text.push_back(describe(slice));
  }
  return text;
}

std::vector<std::string> names(const std::vector<ChannelGroup>& groups) {
  std::vector<std::string> result;
  for (const ChannelGroup& group : groups) {
    result.push_back(group.name);
  }
  return result;
}

TEST(FindGroups, FollowsLinearLayers) {
  const auto groups = find_groups(make_mlp());
  ASSERT_THAT(names(groups), ElementsAre("fc1", "fc2", "logits"));
  EXPECT_EQ(groups[0].channels, 8);
  EXPECT_TRUE(groups[0].prunable);
  EXPECT_THAT(slices(groups[0]),
              ElementsAre("fc1.weight[0]@0+1*", "fc1.bias[0]@0+1", "fc2.weight[1]@0+1"));
  EXPECT_EQ(groups[0].slices[2].node, "fc2");
  EXPECT_FALSE(groups[2].prunable) << "the logits are the model's output";
}

TEST(FindGroups, FollowsBatchNormPoolingAndFlatten) {
  const auto groups = find_groups(make_cnn());
  ASSERT_THAT(names(groups), ElementsAre("conv1", "conv2", "fc", "logits"));
  EXPECT_THAT(slices(groups[0]),
              ElementsAre("conv1.weight[0]@0+1*",
                          "bn1.scale[0]@0+1",
                          "bn1.bias[0]@0+1",
                          "bn1.mean[0]@0+1",
                          "bn1.variance[0]@0+1",
                          "conv2.weight[1]@0+1"));
  EXPECT_THAT(slices(groups[1]),
              ElementsAre("conv2.weight[0]@0+1*", "conv2.bias[0]@0+1", "fc.weight[1]@0+4"))
      << "2 x 2 positions of a channel are neighbours after flattening";
}

TEST(FindGroups, TiesResidualAdds) {
  const auto groups = find_groups(make_resnet());
  ASSERT_THAT(names(groups), ElementsAre("stem", "conv1", "logits"));
  EXPECT_EQ(groups[0].channels, 8);
  EXPECT_THAT(slices(groups[0]),
              testing::IsSupersetOf({"stem.weight[0]@0+1*",
                                     "stem.bias[0]@0+1",
                                     "bn0.scale[0]@0+1",
                                     "conv1.weight[1]@0+1",
                                     "conv2.weight[0]@0+1*",
                                     "bn2.variance[0]@0+1",
                                     "logits.weight[1]@0+1"}));
  EXPECT_EQ(groups[0].slices.size(), 14U);
}

TEST(FindGroups, OffsetsConcatenatedChannels) {
  const auto groups = find_groups(make_concat());
  ASSERT_THAT(names(groups), ElementsAre("a", "b", "c", "logits"));
  EXPECT_THAT(slices(groups[0]),
              ElementsAre("a.weight[0]@0+1*", "a.bias[0]@0+1", "c.weight[1]@0+1"));
  EXPECT_THAT(slices(groups[1]),
              ElementsAre("b.weight[0]@0+1*", "b.bias[0]@0+1", "c.weight[1]@4+1"));
}

TEST(FindGroups, FlattensAConcatenation) {
  Network net(graph::DType::F32, {3, 4, 4});
  const std::string x =
      net.concat("concat", {net.conv("a", "input", 4), net.conv("b", "input", 6)});
  const auto groups = find_groups(net.build({net.gemm("logits", net.flatten("flatten", x), 3)}));
  EXPECT_THAT(slices(groups.at(0)), testing::Contains("logits.weight[1]@0+16"));
  EXPECT_THAT(slices(groups.at(1)), testing::Contains("logits.weight[1]@64+16"));
}

TEST(FindGroups, SplitsALayerThatIsAddedToAConcatenation) {
  Network net(graph::DType::F32, {3, 4, 4});
  const std::string joined =
      net.concat("concat", {net.conv("a", "input", 4), net.conv("b", "input", 6)});
  const std::string x = net.add("add", net.conv("c", "input", 10), joined);
  const auto groups = find_groups(net.build({net.conv("out", x, 2)}));
  ASSERT_THAT(names(groups), ElementsAre("a", "b", "out"));
  EXPECT_THAT(slices(groups[1]),
              ElementsAre("b.weight[0]@0+1*",
                          "b.bias[0]@0+1",
                          "c.weight[0]@4+1*",
                          "c.bias[0]@4+1",
                          "out.weight[1]@4+1"));
}

TEST(FindGroups, NamesPartsOfAProducerByTheirRange) {
  Network net(graph::DType::F32, {3, 4, 4});
  const std::string joined =
      net.concat("concat", {net.conv("a", "input", 4), net.conv("b", "input", 6)});
  const std::string first = net.conv("first", "input", 10);
  const std::string x = net.add("add", first, joined);
  const auto model = net.build({net.conv("out", x, 2)});
  EXPECT_THAT(names(find_groups(model)), ElementsAre("a", "b", "out"));
  graph::Model reordered = model;  // the split producer comes first
  std::rotate(reordered.graph.nodes.begin() + 1,
              reordered.graph.nodes.begin() + 4,
              reordered.graph.nodes.begin() + 5);
  EXPECT_THAT(names(find_groups(reordered)), ElementsAre("first[0:4]", "first[4:10]", "out"));
}

TEST(FindGroups, TiesDepthwiseInputsToOutputs) {
  const auto groups = find_groups(make_depthwise());
  ASSERT_THAT(names(groups), ElementsAre("conv1", "pointwise", "logits"));
  EXPECT_EQ(groups[0].channels, 8);
  EXPECT_THAT(slices(groups[0]),
              ElementsAre("conv1.weight[0]@0+1*",
                          "conv1.bias[0]@0+1",
                          "depthwise.weight[0]@0+2*",
                          "depthwise.bias[0]@0+2",
                          "bn.scale[0]@0+2",
                          "bn.bias[0]@0+2",
                          "bn.mean[0]@0+2",
                          "bn.variance[0]@0+2",
                          "pointwise.weight[1]@0+2"));
}

TEST(FindGroups, TakesTheSamePlaceOfEveryConvolutionGroup) {
  Network net(graph::DType::F32, {3, 4, 4});
  const std::string x = net.conv("grouped", net.conv("conv1", "input", 8), 6, 3, 2);
  const auto groups = find_groups(net.build({net.conv("out", x, 2)}));
  ASSERT_THAT(names(groups), ElementsAre("conv1", "grouped", "out"));
  EXPECT_EQ(groups[0].channels, 4);
  EXPECT_EQ(groups[0].parts, 2);
  EXPECT_TRUE(groups[0].prunable);
  EXPECT_THAT(slices(groups[0]),
              ElementsAre("conv1.weight[0]@0+1*",
                          "conv1.weight[0]@4+1*",
                          "conv1.bias[0]@0+1",
                          "conv1.bias[0]@4+1",
                          "grouped.weight[1]@0+1"));
  EXPECT_EQ(groups[1].channels, 3);
  EXPECT_THAT(slices(groups[1]),
              ElementsAre("grouped.weight[0]@0+1*",
                          "grouped.weight[0]@3+1*",
                          "grouped.bias[0]@0+1",
                          "grouped.bias[0]@3+1",
                          "out.weight[1]@0+1",
                          "out.weight[1]@3+1"));
}

TEST(FindGroups, FollowsAGateThatIsReshaped) {
  const auto groups = find_groups(make_squeeze_excitation());
  ASSERT_THAT(names(groups), ElementsAre("conv", "reduce", "after", "logits"));
  EXPECT_TRUE(groups[0].prunable);
  EXPECT_THAT(slices(groups[0]),
              testing::IsSupersetOf({"excite.weight[0]@0+1*", "after.weight[1]@0+1"}));
  ASSERT_EQ(groups[0].counts.size(), 1U);
  EXPECT_EQ(groups[0].counts[0].node, "image");
}

TEST(FindGroups, FollowsFeaturesThatBecomeAnImage) {
  const auto groups = find_groups(make_decoder());
  EXPECT_EQ(groups.at(0).channels, 4) << "8 channels, which 2 convolution groups read";
  EXPECT_THAT(slices(groups[0]),
              testing::IsSupersetOf({"fc.weight[0]@0+16*", "fc.weight[0]@64+16*"}));
}

TEST(FindGroups, KeepsWhatTouchesTheInputWhole) {
  Network net(graph::DType::F32, {3, 4, 4});
  const std::string x = net.add("add", net.conv("conv1", "input", 3), "input");
  const auto groups = find_groups(net.build({net.conv("out", x, 2)}));
  EXPECT_FALSE(groups.at(0).prunable);
}

TEST(FindGroups, FollowsPerChannelConstantsAndScalars) {
  Network net(graph::DType::F32, {3, 4, 4});
  net.conv("conv1", "input", 6);
  net.append("shift", graph::Op::Add, {"conv1", net.weight("shift.value", {6, 1, 1}, 1)});
  net.append("half", graph::Op::Mul, {"shift", net.weight("half.value", {1}, 0, 0.5)});
  net.append("gate", graph::Op::Mul, {net.weight("gate.value", {1, 6, 1, 1}, 1), "half"});
  const auto groups = find_groups(net.build({net.conv("out", "gate", 2)}));
  EXPECT_TRUE(groups.at(0).prunable);
  EXPECT_THAT(slices(groups[0]),
              ElementsAre("conv1.weight[0]@0+1*",
                          "conv1.bias[0]@0+1",
                          "shift.value[0]@0+1",
                          "gate.value[1]@0+1",
                          "out.weight[1]@0+1"));
}

TEST(FindGroups, MergesTheGateOfASqueezeAndExcitation) {
  Network net(graph::DType::F32, {3, 4, 4});
  const std::string x = net.conv("conv1", "input", 6);
  const std::string gate = net.conv(
      "excite", net.relu("relu", net.conv("squeeze", net.global_pool("gap", x), 2, 1)), 6, 1);
  net.append("scaled", graph::Op::Mul, {x, gate});
  const auto groups = find_groups(net.build({net.conv("out", "scaled", 2)}));
  ASSERT_THAT(names(groups), ElementsAre("conv1", "squeeze", "out"));
  EXPECT_THAT(slices(groups[0]), testing::Contains("excite.weight[0]@0+1*"));
}

TEST(FindGroups, KeepsASpreadChannelWhole) {
  Network net(graph::DType::F32, {3, 4, 4});
  const std::string mask = net.conv("mask", "input", 1);
  net.append("masked", graph::Op::Mul, {net.conv("conv1", "input", 6), mask});
  const auto groups = find_groups(net.build({net.conv("out", "masked", 2)}));
  ASSERT_THAT(names(groups), ElementsAre("mask", "conv1", "out"));
  EXPECT_FALSE(groups[0].prunable);
  EXPECT_TRUE(groups[1].prunable);
}

TEST(FindGroups, KeepsChannelsUnderSoftmaxWhole) {
  Network net(graph::DType::F32, {3});
  net.append("softmax",
             graph::Op::Softmax,
             {net.gemm("fc1", "input", 6)},
             graph::AxisAttributes{.axis = 1});
  const auto groups = find_groups(net.build({net.gemm("out", "softmax", 2)}));
  EXPECT_FALSE(groups.at(0).prunable);
}

TEST(FindGroups, TiesSharedWeights) {
  Network net(graph::DType::F32, {3, 4, 4});
  const graph::ConvAttributes same{.kernel = {3, 3}, .pads = {1, 1, 1, 1}};
  const std::string x = net.conv("stem", "input", 6);
  net.append("again", graph::Op::Conv, {x, net.weight("w", {6, 6, 3, 3}, 1)}, same);
  net.append("twice", graph::Op::Conv, {"again", "w"}, same);
  const auto groups = find_groups(net.build({net.conv("out", "twice", 2)}));
  ASSERT_THAT(names(groups), ElementsAre("stem", "out"));
  EXPECT_THAT(slices(groups[0]),
              UnorderedElementsAre("stem.weight[0]@0+1*",
                                   "stem.bias[0]@0+1",
                                   "w[0]@0+1*",
                                   "w[0]@0+1*",
                                   "w[1]@0+1",
                                   "w[1]@0+1",
                                   "out.weight[1]@0+1"));
}

TEST(FindGroups, CoversEveryOutputChannelOfTheZooOnce) {
  for (const std::string& name : graph::zoo().names()) {
    const auto [options, input] = graph::testing::zoo_example(name);
    const auto model = graph::build_model(options, input, 1);
    std::map<std::string, std::vector<int>> covered;
    for (const ChannelGroup& group : find_groups(model)) {
      EXPECT_GT(group.channels, 0);
      for (const ChannelSlice& slice : group.slices) {
        if (slice.producer) {
          auto& counts = covered[slice.weight];
          counts.resize(static_cast<size_t>(model.weight(slice.weight).dim(0)), 0);
          for (int64_t p = 0; p < group.channels * slice.block; ++p) {
            ++counts.at(static_cast<size_t>(slice.offset + p));
          }
        }
      }
    }
    for (const graph::Node& node : model.graph.nodes) {
      if (node.op == graph::Op::Conv || node.op == graph::Op::Gemm) {
        EXPECT_THAT(covered[node.inputs[1]], testing::Each(1)) << name << " " << node.name;
        EXPECT_FALSE(covered[node.inputs[1]].empty()) << name << " " << node.name;
      }
    }
  }
}

TEST(FindGroups, RefusesQuantisedModels) {
  graph::Model model = make_mlp();
  model.weights["scale"] = graph::Tensor::from<float>({}, std::vector<float>{1});
  model.weights["zero"] = graph::Tensor(graph::DType::I8, {});
  graph::Node node;
  node.name = "logits_q";
  node.op = graph::Op::QuantizeLinear;
  node.inputs = {"logits", "scale", "zero"};
  node.attributes = graph::AxisAttributes{};
  model.graph.nodes.push_back(node);
  graph::infer_shapes(model);
  try {
    find_groups(model);
    FAIL() << "a quantised model was taken";
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), core::ErrorKind::InvalidArgument);
    EXPECT_THAT(error.what(), HasSubstr("'logits_q': a quantised model cannot be pruned"));
  }
}

}  // namespace

}  // namespace coppice::compress
