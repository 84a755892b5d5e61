#include "train/network.h"

#include <limits>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "compress/quantise.h"
#include "core/error.h"
#include "graph/builder.h"
#include "graph/models.h"
#include "runtime/engine.h"
#include "samples.h"
#include "train/parameter.h"
#include "train/tensor_bridge.h"

namespace coppice::train {

namespace {

using graph::testing::message_of;

graph::Tensor random_images(const graph::Shape& shape, uint64_t seed) {
  core::Rng rng(seed);
  graph::Tensor images(graph::DType::U8, shape);
  for (uint8_t& pixel : images.data<uint8_t>()) {
    pixel = static_cast<uint8_t>(rng.below(256));
  }
  return images;
}

/// With running statistics that are not the identity.
graph::Model trained_a_little(const graph::Model& model, const graph::Tensor& images) {
  Network network(model);
  for (int i = 0; i < 20; ++i) {
    network.forward(to_aten(images), {.training = true});
  }
  return network.to_model();
}

std::vector<graph::Tensor> by_reference(const graph::Model& model, const graph::Tensor& images) {
  const auto engine =
      runtime::build_engine(model, {.backend = "reference", .max_batch = images.dim(0)});
  std::vector<graph::Tensor> outputs;
  for (const std::string& name : model.graph.outputs) {
    const graph::Node& node = model.graph.at(name);
    graph::Shape shape = node.shape;
    shape[0] = images.dim(0);
    outputs.emplace_back(node.dtype, shape);
  }
  engine->run(std::vector<graph::Tensor>{images}, outputs);
  return outputs;
}

/// Largest difference relative to the largest value.
double difference(const at::Tensor& ours, const graph::Tensor& theirs) {
  const at::Tensor reference = to_aten(theirs);
  return ((ours.detach() - reference).abs().max() / reference.abs().max()).item<double>();
}

class ZooTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ZooTest, ForwardAgreesWithTheReferenceEngine) {
  auto [options, input] = graph::testing::zoo_example(GetParam());
  options.dropout = 0.3;
  options.drop_path = 0.2;
  graph::Shape shape = input.sample_shape;
  shape.insert(shape.begin(), 5);
  const graph::Tensor images = random_images(shape, 3);
  const graph::Model model = trained_a_little(graph::build_model(options, input, 4), images);
  Network network(model);
  const Activations ours = network.forward(to_aten(images));
  const auto theirs = by_reference(model, images);
  for (size_t i = 0; i < theirs.size(); ++i) {
    EXPECT_LT(difference(ours.at(model.graph.outputs[i]), theirs[i]), 1e-4) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, ZooTest, ::testing::ValuesIn(graph::zoo().names()));

TEST(Network, ForwardOfEveryOpAgreesWithTheReferenceEngine) {
  const graph::Model model = graph::testing::model_with_every_op();
  const graph::Tensor images = random_images({3, 2, 8, 8}, 1);
  Network network(model);
  const Activations ours = network.forward(to_aten(images));
  const auto theirs = by_reference(model, images);
  for (size_t i = 0; i < theirs.size(); ++i) {
    EXPECT_LT(difference(ours.at(model.graph.outputs[i]), theirs[i]), 1e-4) << i;
  }
}

TEST(Network, ForwardOfAQuantisedModelAgreesWithTheReferenceEngine) {
  graph::ModelOptions options;
  options.widths = {8, 12};
  const graph::Tensor images = random_images({16, 1, 28, 28}, 3);
  const graph::Model model = compress::quantise(
      trained_a_little(graph::build_model(options, graph::testing::fashion_input(), 4), images),
      images,
      {});
  Network network(model);
  EXPECT_TRUE(network.parameters().empty());
  // A value on the border between two levels may fall on either side.
  EXPECT_LT(difference(network.logits(to_aten(images)), by_reference(model, images)[0]), 0.05);
}

TEST(Network, ParametersAreTheWeightsThatTrainingMayChange) {
  Network network(graph::testing::model_with_every_op());
  std::map<std::string, ParameterKind> kinds;
  for (const Parameter& p : network.parameters()) {
    kinds[p.name] = p.kind;
    EXPECT_TRUE(p.value.requires_grad());
    EXPECT_EQ(p.decays(), p.kind == ParameterKind::Weight);
  }
  const std::map<std::string, ParameterKind> expected{{"conv1.weight", ParameterKind::Weight},
                                                      {"conv1.bias", ParameterKind::Bias},
                                                      {"bn1.scale", ParameterKind::NormScale},
                                                      {"bn1.bias", ParameterKind::NormShift},
                                                      {"conv2.weight", ParameterKind::Weight},
                                                      {"gemm1.weight", ParameterKind::Weight},
                                                      {"gemm1.bias", ParameterKind::Bias},
                                                      {"slope", ParameterKind::Bias},
                                                      {"up.weight", ParameterKind::Weight},
                                                      {"up.bias", ParameterKind::Bias},
                                                      {"wide.weight", ParameterKind::Weight},
                                                      {"norm.scale", ParameterKind::NormScale},
                                                      {"norm.bias", ParameterKind::NormShift},
                                                      {"lstm.weight", ParameterKind::Weight},
                                                      {"lstm.recurrent", ParameterKind::Weight},
                                                      {"lstm.bias", ParameterKind::Bias},
                                                      {"gru.weight", ParameterKind::Weight},
                                                      {"gru.recurrent", ParameterKind::Weight}};
  EXPECT_EQ(kinds, expected);
}

TEST(Network, GivesTheActivationOfAnyNode) {
  Network network(testing::quarter_network(1));
  const at::Tensor x = to_aten(random_images({2, 1, 8, 8}, 1));
  std::vector<std::string> names;
  for (const graph::Node& node : network.graph().nodes) {
    names.push_back(node.name);
  }
  const Activations all = network.forward(x, {.keep = names});
  EXPECT_EQ(all.size(), names.size());
  for (const auto& [name, value] : all) {
    graph::Shape shape = network.graph().at(name).shape;
    shape[0] = 2;
    EXPECT_EQ(value.sizes().vec(), shape) << name;
  }
  EXPECT_EQ(network.forward(x).size(), 1);
}

TEST(Network, KeepingAnActivationDoesNotChangeIt) {
  const graph::Tensor images = random_images({4, 1, 28, 28}, 2);
  graph::ModelOptions options;
  options.widths = {4};
  Network network(graph::build_model(options, graph::testing::fashion_input(), 4));
  const at::Tensor kept = network.forward(to_aten(images), {.keep = {"bn1"}}).at("bn1");
  EXPECT_LT(kept.min().item<float>(), 0) << "overwritten by the ReLU behind it";
}

TEST(Network, FusedNodesGiveWhatTheyGiveOneByOne) {
  for (const int64_t width : {4, 7, 150}) {
    const graph::Model model = [&] {
      graph::Builder builder(graph::DType::U8, {1, 9, width}, core::Rng(1));
      std::string x = builder.normalise(builder.input(), {100}, {60});
      x = builder.conv(x, 5, {.kernel = {3, 3}, .pads = {1, 1, 1, 1}}, true);
      x = builder.max_pool(builder.relu(builder.batch_norm(x)));
      x = builder.max_pool(builder.relu(builder.conv(x, 3, {}, true)));
      return builder.build({x});
    }();
    const graph::Tensor images = random_images({6, 1, 9, width}, 1);
    const std::vector<std::string> all{"bn1", "relu1", "relu2"};
    for (const bool training : {false, true}) {
      for (const bool wants_gradient : {false, true}) {
        const at::AutoGradMode mode(wants_gradient);
        Network fused(model);
        Network apart(model);
        const at::Tensor a = fused.logits(to_aten(images), {.training = training});
        const at::Tensor b = apart.logits(to_aten(images), {.training = training, .keep = all});
        EXPECT_TRUE(a.allclose(b, 1e-5, 1e-6)) << width;
        EXPECT_EQ(a.requires_grad(), wants_gradient);
        EXPECT_EQ(graph::content_hash(fused.to_model()), graph::content_hash(apart.to_model()));
      }
    }
  }
}

/// Gradients of the mean square of the logits by every parameter; none where `network` has none.
std::vector<at::Tensor> parameter_gradients(Network& network,
                                            const graph::Tensor& images,
                                            const ForwardOptions& options) {
  network.logits(to_aten(images), options).pow(2).mean().backward();
  std::vector<at::Tensor> gradients;
  for (const Parameter& parameter : network.parameters()) {
    gradients.push_back(parameter.value.grad().to(at::kDouble));
  }
  return gradients;
}

TEST(Network, AConvolutionWithItsBatchNormGivesWhatTheyGiveOneByOne) {
  // Blocks of both kinds, one with pooling; 11 samples fill no range of any of these sizes.
  graph::ModelOptions plain;
  plain.widths = {16, 32};
  graph::ModelOptions residual = plain;
  residual.name = "resnet";
  residual.depth = 2;
  const graph::Tensor images = random_images({11, 1, 28, 28}, 3);
  for (const graph::ModelOptions& options : {plain, residual}) {
    const graph::Model model = graph::build_model(options, graph::testing::fashion_input(), 4);
    std::vector<std::string> all;
    for (const graph::Node& node : model.graph.nodes) {
      all.push_back(node.name);
    }
    for (const bool freeze_norms : {false, true}) {
      Network fused(model);
      Network apart(model);
      Network exact(model, Precision::Double);
      const ForwardOptions forward{.training = true, .freeze_norms = freeze_norms};
      ForwardOptions one_by_one = forward;
      one_by_one.keep = all;
      const auto ours = parameter_gradients(fused, images, forward);
      const auto by_one = parameter_gradients(apart, images, one_by_one);
      const auto reference = parameter_gradients(exact, images, forward);
      for (size_t i = 0; i < ours.size(); ++i) {
        const double largest = reference[i].abs().max().item<double>();
        const auto error = [&](const at::Tensor& gradient) {
          return (gradient - reference[i]).abs().max().item<double>() / largest;
        };
        EXPECT_LT(error(ours[i]), 1e-3) << options.name << ": " << fused.parameters()[i].name;
        EXPECT_LT(error(by_one[i]), 1e-3) << options.name << ": " << fused.parameters()[i].name;
      }
      for (const auto& [name, after] : fused.to_model().weights) {
        const at::Tensor expected = to_aten(apart.to_model().weight(name));
        EXPECT_TRUE(to_aten(after).allclose(expected, 1e-4, 1e-5)) << name;
      }
    }
  }
}

TEST(Network, ABrokenSampleStaysVisibleThroughFusedNodes) {
  graph::ModelOptions options;
  options.widths = {4, 4};
  graph::Model model = graph::build_model(options, graph::testing::fashion_input(), 4);
  model.weights.at("conv1.weight") = model.weight("conv1.weight").clone();
  model.weights.at("conv1.weight").data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  Network network(model);
  const at::Tensor logits =
      network.logits(to_aten(random_images({2, 1, 28, 28}, 1)), {.training = true});
  EXPECT_TRUE(logits.isnan().any().item<bool>());
}

TEST(Network, RefusesToNormaliseOneValuePerChannel) {
  const graph::Model model = graph::testing::model_of(
      {{"x", {1, 1, 1}}},
      {{"s", graph::testing::random_tensor({1}, 1)},
       {"b", graph::testing::random_tensor({1}, 1)},
       {"m", graph::testing::random_tensor({1}, 1)},
       {"v", graph::testing::random_tensor({1}, 1, 1, 2)}},
      {graph::testing::node_of(
          "z", graph::Op::BatchNorm, {"x", "s", "b", "m", "v"}, graph::BatchNormAttributes{})});
  Network network(model);
  const at::Tensor x = to_aten(graph::Tensor(graph::DType::F32, {1, 1, 1, 1}));
  EXPECT_NO_THROW(network.logits(x));
  message_of(core::ErrorKind::InvalidArgument, [&] { network.logits(x, {.training = true}); });
}

TEST(Network, BatchNormKeepsRunningStatisticsAsPyTorchDoes) {
  const graph::Model model = graph::testing::model_of(
      {{"x", {1, 2, 1}}},
      {{"s", graph::Tensor::from<float>({1}, std::vector<float>{1})},
       {"b", graph::Tensor::from<float>({1}, std::vector<float>{0})},
       {"m", graph::Tensor::from<float>({1}, std::vector<float>{10})},
       {"v", graph::Tensor::from<float>({1}, std::vector<float>{4})}},
      {graph::testing::node_of(
          "z", graph::Op::BatchNorm, {"x", "s", "b", "m", "v"}, graph::BatchNormAttributes{})});
  Network network(model);
  const auto x = graph::Tensor::from<float>({2, 1, 2, 1}, std::vector<float>{1, 2, 3, 6});
  network.forward(to_aten(x));
  EXPECT_EQ(network.to_model().weight("m").data<float>()[0], 10) << "changed outside training";
  network.forward(to_aten(x), {.training = true});
  const graph::Model after = network.to_model();
  EXPECT_FLOAT_EQ(after.weight("m").data<float>()[0], 0.9F * 10 + 0.1F * 3);
  EXPECT_FLOAT_EQ(after.weight("v").data<float>()[0], 0.9F * 4 + 0.1F * 14 / 3);  // unbiased
  EXPECT_EQ(model.weight("m").data<float>()[0], 10) << "the given model was changed";
}

TEST(Network, DropoutKeepsTheMeanAndFollowsItsSeed) {
  const graph::Model model = graph::testing::model_of(
      {{"x", {10000}}},
      {},
      {graph::testing::node_of("z", graph::Op::Dropout, {"x"}, graph::DropoutAttributes{0.25F})});
  Network network(model);
  graph::Tensor ones(graph::DType::F32, {1, 10000});
  std::ranges::fill(ones.data<float>(), 1.0F);
  const auto run = [&](uint64_t seed) {
    return network.logits(to_aten(ones), {.training = true, .dropout_seed = seed});
  };
  EXPECT_TRUE(run(1).equal(run(1)));
  EXPECT_FALSE(run(1).equal(run(2)));
  EXPECT_NEAR(run(1).mean().item<double>(), 1, 0.03);
  EXPECT_NEAR(run(1).eq(0).sum().item<double>() / 10000, 0.25, 0.02);
  EXPECT_TRUE(network.logits(to_aten(ones)).equal(to_aten(ones)));
}

/// Spatial dropout (Tompson et al., 2015) and stochastic depth (Huang et al., 2016): all of a
/// channel or a sample goes or stays.
TEST(Network, DropoutDropsWholeChannelsAndSamples) {
  for (const auto grain : {graph::DropoutGrain::Channel, graph::DropoutGrain::Sample}) {
    const graph::Model model = graph::testing::model_of(
        {{"x", {20, 3, 2}}},
        {},
        {graph::testing::node_of(
            "z", graph::Op::Dropout, {"x"}, graph::DropoutAttributes{0.25F, grain})});
    Network network(model);
    constexpr int64_t kBatch = 400;
    graph::Tensor ones(graph::DType::F32, {kBatch, 20, 3, 2});
    std::ranges::fill(ones.data<float>(), 1.0F);
    const at::Tensor y = network.logits(to_aten(ones), {.training = true, .dropout_seed = 3});
    const bool channels = grain == graph::DropoutGrain::Channel;
    const at::Tensor parts = y.reshape({channels ? kBatch * 20 : kBatch, -1});
    const at::Tensor first = parts.select(1, 0);
    EXPECT_TRUE(parts.equal(first.unsqueeze(1).expand_as(parts))) << "a part was cut in two";
    const auto count = static_cast<double>(first.numel());
    EXPECT_NEAR(first.eq(0).sum().item<double>() / count, 0.25, channels ? 0.02 : 0.06);
    EXPECT_FLOAT_EQ(first.max().item<float>(), 1 / 0.75F);
    const at::Tensor of_sample = y.select(0, 0).select(1, 0).select(1, 0);
    EXPECT_EQ(of_sample.max().equal(of_sample.min()), !channels);
  }
}

TEST(Network, LoadsTheWeightsThatItGave) {
  Network a(testing::quarter_network(1));
  Network b(testing::quarter_network(2));
  const at::Tensor x = to_aten(random_images({2, 1, 8, 8}, 1));
  EXPECT_FALSE(a.logits(x).equal(b.logits(x)));
  b.load_weights(a.to_model().weights);
  EXPECT_TRUE(a.logits(x).equal(b.logits(x)));
  message_of(core::ErrorKind::InvalidArgument,
             [&] { b.load_weights(graph::testing::model_with_every_op().weights); });
}

TEST(Network, RefusesInputsThatDoNotFit) {
  Network network(testing::quarter_network(1));
  const std::string message = message_of(core::ErrorKind::InvalidArgument, [&] {
    network.logits(to_aten(random_images({2, 1, 8, 9}, 1)));
  });
  EXPECT_NE(message.find("[2, 1, 8, 9]"), std::string::npos) << message;
  message_of(core::ErrorKind::InvalidArgument, [&] {
    network.logits(to_aten(graph::Tensor(graph::DType::F32, {2, 1, 8, 8})));
  });
  message_of(core::ErrorKind::NotFound, [&] {
    network.forward(to_aten(random_images({2, 1, 8, 8}, 1)), {.keep = {"gem1"}});
  });
}

}  // namespace

}  // namespace coppice::train
