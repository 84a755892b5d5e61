// Sizes of the zoo's networks against the numbers that their papers print.

#include <gtest/gtest.h>

#include "graph/cost.h"
#include "graph/models.h"
#include "graph/pass.h"

namespace coppice::graph {
namespace {

ModelInput input_of(const Shape& sample, size_t classes) {
  ModelInput input;
  input.sample_shape = sample;
  input.class_names.assign(classes, "c");
  return input;
}

Cost cost_of(const ModelOptions& options, const ModelInput& input) {
  return cost(build_model(options, input, 1));
}

TEST(ZooSize, LeNetsAreThoseOfDeepCompression) {
  // Han et al. (ICLR 2016), tables 2 and 3: 267 k and 431 k weights.
  const ModelInput mnist = input_of({1, 28, 28}, 10);
  EXPECT_EQ(cost_of({.name = "lenet_300_100"}, mnist).parameters, 266'610);
  const Cost lenet5 = cost_of({.name = "lenet5"}, mnist);
  EXPECT_EQ(lenet5.parameters, 431'080);
  EXPECT_EQ(lenet5.macs, 24 * 24 * 25 * 20 + 8 * 8 * 25 * 20 * 50 + 800 * 500 + 500 * 10);
}

TEST(ZooSize, CifarResNets) {
  // He et al. (CVPR 2016), table 6: 0.27 M, 0.46 M and 0.85 M with parameter-free shortcuts; the
  // projections add 16 x 32 + 32 x 64 weights and a BN each.
  const int64_t projections = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64;
  const ModelInput cifar = input_of({3, 32, 32}, 10);
  for (const auto& [depth, parameters] :
       {std::pair<int64_t, int64_t>{3, 269'722}, {5, 464'154}, {9, 853'018}}) {
    const Model model = build_model({.name = "resnet", .depth = depth}, cifar, 1);
    EXPECT_EQ(cost(model).parameters, parameters + projections);
    const auto layers =
        std::count_if(model.graph.nodes.begin(), model.graph.nodes.end(), [](const Node& node) {
          return node.op == Op::Conv || node.op == Op::Gemm;
        });
    EXPECT_EQ(layers, 6 * depth + 2 + 2);
    EXPECT_EQ(model.graph.at("global_pool1").shape, (Shape{-1, 64, 1, 1}));
  }
  // 41 M of a plain ResNet-20, as counted all over the literature on pruning it.
  EXPECT_NEAR(static_cast<double>(cost_of({.name = "resnet", .depth = 3}, cifar).macs), 41e6, 4e5);
}

TEST(ZooSize, ResNet18) {
  // Table 1: 1.8 billion multiply-adds; 11.69 M parameters in PyTorch's zoo.
  const Cost c =
      cost_of({.name = "resnet18", .stem = Stem::Imagenet}, input_of({3, 224, 224}, 1000));
  EXPECT_EQ(c.parameters, 11'689'512);
  EXPECT_EQ(c.macs, 1'814'073'344);
}

TEST(ZooSize, MobileNetV2) {
  // Sandler et al. (CVPR 2018), table 4: 3.4 M parameters (3.504872 M with BN, in PyTorch's zoo)
  // and 300 M multiply-adds; 1.4 wide 6.9 M (6.1 M with BN in PyTorch) and 585 M.
  const ModelInput imagenet = input_of({3, 224, 224}, 1000);
  const Cost c = cost_of({.name = "mobilenet_v2", .stem = Stem::Imagenet}, imagenet);
  EXPECT_EQ(c.parameters, 3'504'872);
  EXPECT_EQ(c.macs, 300'774'272);
  const Cost wide =
      cost_of({.name = "mobilenet_v2", .stem = Stem::Imagenet, .width_multiplier = 1.4}, imagenet);
  EXPECT_NEAR(static_cast<double>(wide.macs), 585e6, 5e6);
  const Model small =
      build_model({.name = "mobilenet_v2", .width_multiplier = 0.25}, input_of({3, 32, 32}, 10), 1);
  EXPECT_EQ(small.graph.at("global_pool1").inputs.size(), 1U);
  EXPECT_EQ(small.graph.at(small.graph.at("global_pool1").inputs[0]).shape,
            (Shape{-1, 1280, 4, 4}));
}

/// Zhang et al. (2017), table 5: memory is every 8-bit weight and bias, BN folded, and the largest
/// input and output of a layer; operations count multiplications and additions apart.
TEST(ZooSize, DsCnnNeedsTheMemoryAndOperationsOfHelloEdge) {
  struct Published {
    Size size;
    double memory_kilobytes;
    double operations_millions;
  };

  for (const Published& p : {Published{Size::Small, 38.6, 5.4},
                             Published{Size::Medium, 189.2, 19.8},
                             Published{Size::Large, 497.6, 56.9}}) {
    const Model model =
        run_passes(build_model({.name = "ds_cnn", .size = p.size}, input_of({1, 49, 10}, 12), 1),
                   inference_passes());
    int64_t largest = 0;
    for (const Node& node : model.graph.nodes) {
      if (node.op == Op::Conv) {
        const Shape& in = model.graph.at(node.inputs[0]).shape;
        largest = std::max(largest,
                           in[1] * in[2] * in[3] + node.shape[1] * node.shape[2] * node.shape[3]);
      }
    }
    const Cost c = cost(model);
    EXPECT_NEAR(static_cast<double>(c.parameters + largest) / 1000, p.memory_kilobytes, 0.06);
    EXPECT_NEAR(2 * static_cast<double>(c.macs) / 1e6, p.operations_millions, 0.3);
  }
}

TEST(ZooSize, TcnOfSequentialMnist) {
  // Bai et al. (2018), table 1 and appendix A: 8 levels of 25 channels, kernel 7, about 70 k
  // parameters.
  const Cost c = cost_of({.name = "tcn", .widths = std::vector<int64_t>(8, 25), .kernel = 7},
                         input_of({1, 784}, 10));
  EXPECT_NEAR(static_cast<double>(c.parameters), 70e3, 4e3);
}

}  // namespace
}  // namespace coppice::graph
