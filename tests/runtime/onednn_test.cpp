#include <algorithm>

#include <gtest/gtest.h>

#include "graph/pass.h"
#include "runtime/models.h"
#include "runtime/onednn/stage.h"
#include "runtime/profile.h"
#include "runtime/quantised.h"

namespace coppice::runtime::testing {
namespace {

using graph::DType;
using graph::Op;
using graph::Tensor;

struct Network {
  std::string name;
  graph::ModelOptions options;
  graph::ModelInput input;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest finds it by this name
void PrintTo(const Network& network, std::ostream* out) {
  *out << network.name;
}

graph::ModelInput feature_input(DType dtype) {
  graph::ModelInput input = image_input(1, 1, dtype);
  input.sample_shape = {37};
  return input;
}

graph::ModelInput window_input(graph::Shape sample) {
  graph::ModelInput input = image_input(1, 1);
  input.sample_shape = std::move(sample);
  return input;
}

/// A block of MobileNetV2: ReLU6, a depthwise convolution, a bottleneck without an activation.
graph::ModelOptions inverted_residuals() {
  graph::ModelOptions options{.name = "layers"};
  const auto add = [&](std::string type, int64_t width = 16, int64_t kernel = 1) {
    graph::LayerOptions layer;
    layer.type = std::move(type);
    layer.width = width;
    layer.kernel = {kernel};
    options.layers.push_back(std::move(layer));
  };
  const auto add_normalised = [&](const std::string& type, int64_t width, int64_t kernel) {
    add(type, width, kernel);
    add("bn");
  };
  add_normalised("conv", 8, 3);
  add("relu6");
  options.layers.back().name = "stem";
  add_normalised("conv", 24, 1);
  add("relu6");
  add_normalised("depthwise", 24, 3);
  add("relu6");
  add_normalised("conv", 8, 1);
  add("add");
  options.layers.back().from = {"stem"};
  add("global_avg_pool");
  return options;
}

std::vector<Network> networks() {
  return {
      {"mlp", {"mlp", {33, 20}, 1, 0.2}, image_input(1, 9)},
      {"mlp_features", {"mlp", {16}, 1, 0}, feature_input(DType::F32)},
      {"cnn", {"cnn", {16, 32, 64}, 1, 0.2}, image_input(1, 28)},
      {"cnn_pruned", {"cnn", {7, 13, 22}, 2, 0}, image_input(1, 20)},
      {"cnn_colour", {"cnn", {8, 24}, 1, 0}, image_input(3, 16)},
      {"cnn_float_input", {"cnn", {8, 12}, 1, 0}, image_input(3, 10, DType::F32)},
      {"resnet", {"resnet", {16, 32}, 1, 0}, image_input(3, 12)},
      {"resnet_pruned", {"resnet", {5, 11, 18}, 1, 0}, image_input(1, 18)},
      {"inverted_residuals", inverted_residuals(), image_input(3, 8)},
      {"cnn1d", {.name = "cnn1d", .widths = {8, 12}, .kernel = 5}, window_input({3, 32})},
      {"tcn", {.name = "tcn", .widths = {8, 8, 12}, .kernel = 4}, window_input({3, 40})},
  };
}

Tensor samples_for(const graph::ModelInput& input, int64_t count, uint64_t seed) {
  graph::Shape shape = input.sample_shape;
  shape.insert(shape.begin(), count);
  return input.dtype == DType::F32 ? random_floats(shape, seed, 0, 255)
                                   : random_integers(input.dtype, shape, seed);
}

int64_t disagreements(const Tensor& a, const Tensor& b) {
  const auto x = argmax_rows(a);
  const auto y = argmax_rows(b);
  int64_t count = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    count += x[i] != y[i];
  }
  return count;
}

class OnednnNetwork : public ::testing::TestWithParam<Network> {
 protected:
  graph::Model model() const { return random_network(GetParam().options, GetParam().input, 11); }

  Tensor samples(int64_t count, uint64_t seed) const {
    return samples_for(GetParam().input, count, seed);
  }

  graph::Model quantised(const QdqOptions& options) const {
    return to_qdq(model(), samples(16, 3), options);
  }
};

INSTANTIATE_TEST_SUITE_P(Zoo, OnednnNetwork, ::testing::ValuesIn(networks()), [](const auto& test) {
  return test.param.name;
});

TEST_P(OnednnNetwork, FloatAgreesWithTheReference) {
  const Tensor x = samples(21, 5);
  const Tensor expected = run_model(model(), {x}, "reference")[0];
  const Tensor result = run_model(model(), {x}, "onednn")[0];
  EXPECT_LT(relative_difference(result, expected), 1e-4);
  EXPECT_EQ(disagreements(result, expected), 0);
}

TEST_P(OnednnNetwork, QuantisedAgreesWithinOneStep) {
  const Tensor x = samples(16, 6);
  for (const bool sums : {false, true}) {
    for (const bool pools : {false, true}) {
      const graph::Model model =
          quantised({.quantise_sums = sums, .quantise_logits = true, .pool_scales = pools});
      // The logits' own integers: the Q before the last DQ.
      graph::Model bytes = model;
      bytes.graph.outputs = {model.graph.at(model.graph.outputs[0]).inputs[0]};
      const Tensor expected = run_model(bytes, {x}, "reference")[0];
      const Tensor result = run_model(bytes, {x}, "onednn")[0];
      EXPECT_NE(result.dtype(), DType::F32);
      EXPECT_LE(largest_step(result, expected), 1) << sums << pools;
    }
  }
}

TEST_P(OnednnNetwork, QuantisedPicksTheSameClasses) {
  const Tensor x = samples(100, 7);
  const graph::Model model = quantised({});
  const Tensor expected = run_model(model, {x}, "reference")[0];
  const Tensor result = run_model(model, {x}, "onednn")[0];
  EXPECT_LE(disagreements(result, expected), 1);
  EXPECT_LT(relative_difference(result, expected), 0.02);
}

/// The fused integers are what the graph says: close to the float network, not only to each other.
TEST_P(OnednnNetwork, QuantisedStaysCloseToFloat) {
  const Tensor x = samples(64, 3);
  const Tensor expected = run_model(model(), {x}, "reference")[0];
  const Tensor result = run_model(quantised({}), {x}, "onednn")[0];
  EXPECT_LT(relative_difference(result, expected), 0.2);
  EXPECT_LE(disagreements(result, expected), 10);
}

/// All of a quantised network but the preprocessing of float inputs runs in 8 bits.
TEST_P(OnednnNetwork, NothingFallsBackToFloat) {
  graph::Model prepared = graph::run_passes(quantised({}), graph::inference_passes());
  for (const onednn::Stage& stage : onednn::lower(keep_quantised(std::move(prepared)))) {
    if (const auto* plain = std::get_if<onednn::Plain>(&stage.work)) {
      const bool moves_bytes = (plain->node.op == Op::Reshape || plain->node.op == Op::Slice) &&
                               stage.dtype != DType::F32;
      EXPECT_TRUE(moves_bytes || plain->node.op == Op::Cast) << stage.output;
    }
    EXPECT_FALSE(std::holds_alternative<onednn::Curve>(stage.work)) << stage.output;
    EXPECT_FALSE(std::holds_alternative<onednn::Rectify>(stage.work)) << stage.output;
    if (const auto* product = std::get_if<onednn::Product>(&stage.work)) {
      EXPECT_EQ(product->weight.dtype(), DType::I8) << stage.output;
    }
    if (GetParam().input.dtype == DType::U8) {
      EXPECT_FALSE(std::holds_alternative<onednn::Arithmetic>(stage.work)) << stage.output;
      EXPECT_FALSE(std::holds_alternative<onednn::Quantise>(stage.work)) << stage.output;
    }
  }
}

/// The reference's fused integers against the same graph computed node by node: outputs of every
/// node break all fusion.
TEST_P(OnednnNetwork, FusedIntegersMatchTheUnfusedGraph) {
  const Tensor x = samples(12, 8);
  for (const bool asymmetric : {false, true}) {
    const graph::Model fused = quantised({.quantise_logits = true, .asymmetric = asymmetric});
    graph::Model unfused = fused;
    unfused.graph.outputs.clear();
    for (const graph::Node& node : fused.graph.nodes) {
      if (!node.shape.empty() && node.shape[0] == graph::kBatch &&
          node.op != Op::DequantizeLinear) {
        unfused.graph.outputs.push_back(node.name);
      }
    }
    graph::Model bytes = fused;
    bytes.graph.outputs = {fused.graph.at(fused.graph.outputs[0]).inputs[0]};
    ASSERT_EQ(unfused.graph.outputs.back(), bytes.graph.outputs[0]);
    const std::vector<Tensor> all = run_model(unfused, {x}, "reference");
    EXPECT_LE(largest_step(run_model(bytes, {x}, "reference")[0], all.back()), 1) << asymmetric;
  }
}

TEST(Onednn, PreprocessingBecomesATableWithTheSameIntegers) {
  Tensor x(DType::U8, {256, 3, 2, 2});
  for (int64_t i = 0; i < x.size(); ++i) {
    x.data<uint8_t>()[static_cast<size_t>(i)] = static_cast<uint8_t>(i / 12);
  }
  const auto weight = [](std::vector<float> values, graph::Shape shape) {
    return Tensor::from<float>(std::move(shape), values);
  };
  const graph::Model model = make_model(
      {x},
      {{"mean", weight({10, 100, 200}, {3, 1, 1})},
       {"std", weight({33, 77, 51}, {3, 1, 1})},
       {"scale", weight({0.021F}, {})},
       {"zero", Tensor(DType::I8, {})}},
      {make_node("cast", Op::Cast, {"x0"}, graph::CastAttributes{DType::F32}),
       make_node("sub", Op::Sub, {"cast", "mean"}),
       make_node("div", Op::Div, {"sub", "std"}),
       make_node("q", Op::QuantizeLinear, {"div", "scale", "zero"}, graph::AxisAttributes{})});
  const std::vector<onednn::Stage> stages = onednn::lower(model);
  ASSERT_EQ(stages.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<onednn::Lookup>(stages[0].work));
  EXPECT_EQ(largest_step(run_model(model, {x}, "onednn")[0], run_model(model, {x}, "reference")[0]),
            0);
}

template <class Kind>
int64_t count_stages(graph::Model model) {
  model = graph::run_passes(std::move(model), graph::inference_passes());
  int64_t count = 0;
  for (const onednn::Stage& stage : onednn::lower(keep_quantised(std::move(model)))) {
    count += std::holds_alternative<Kind>(stage.work);
  }
  return count;
}

/// A convolution's Clip from 0 is made inside it, in f32 and in integers, whether the integers end
/// below its limit, on it or above it.
TEST(Onednn, AClipIsFusedIntoItsLayer) {
  const graph::ConvAttributes same{.kernel = {3, 3}, .pads = {1, 1, 1, 1}};
  const Tensor x = random_floats({3, 5, 7, 6}, 1, -3, 3);
  const auto scalar = [](float value) {
    return Tensor::from<float>({}, std::vector<float>{value});
  };
  const graph::Weights weights{{"w", random_floats({8, 5, 3, 3}, 2)}, {"b", random_floats({8}, 3)}};
  const graph::Model plain =
      make_model({x},
                 weights,
                 {make_node("conv", Op::Conv, {"x0", "w", "b"}, same),
                  make_node("relu6", Op::Clip, {"conv"}, graph::ClipAttributes{})});
  EXPECT_EQ(count_stages<onednn::Product>(plain), 1);
  EXPECT_EQ(count_stages<onednn::Curve>(plain), 0);
  const Tensor expected = run_model(plain, {x}, "reference")[0];
  EXPECT_LT(relative_difference(run_model(plain, {x}, "onednn")[0], expected), 1e-5);
  EXPECT_EQ(*std::ranges::max_element(expected.data<float>()), 6);
  for (const DType dtype : {DType::U8, DType::I8}) {
    for (const float scale : {0.01F, 6.0F / 255, 0.06F}) {
      graph::Model bytes = make_model(
          {x},
          {{"w8", random_integers(DType::I8, {8, 5, 3, 3}, 4)},
           {"ws", scalar(0.01F)},
           {"wz", Tensor(DType::I8, {})},
           {"xs", scalar(3.0F / 127)},
           {"xz", Tensor(DType::I8, {})},
           {"ys", scalar(scale)},
           {"yz", Tensor(dtype, {})},
           {"b", random_floats({8}, 3)}},
          {make_node("xq", Op::QuantizeLinear, {"x0", "xs", "xz"}, graph::AxisAttributes{}),
           make_node("xd", Op::DequantizeLinear, {"xq", "xs", "xz"}, graph::AxisAttributes{}),
           make_node("w", Op::DequantizeLinear, {"w8", "ws", "wz"}, graph::AxisAttributes{0}),
           make_node("conv", Op::Conv, {"xd", "w", "b"}, same),
           make_node("relu6", Op::Clip, {"conv"}, graph::ClipAttributes{}),
           make_node("yq", Op::QuantizeLinear, {"relu6", "ys", "yz"}, graph::AxisAttributes{})});
      EXPECT_EQ(count_stages<onednn::Product>(bytes), 1);
      EXPECT_EQ(count_stages<onednn::Curve>(bytes), 0);
      const Tensor fused = run_model(bytes, {x}, "reference")[0];
      EXPECT_LE(largest_step(run_model(bytes, {x}, "onednn")[0], fused), 1);
      graph::Model unfused = bytes;
      unfused.graph.outputs = {"yq", "conv", "relu6"};
      EXPECT_LE(largest_step(run_model(unfused, {x}, "reference")[0], fused), 1);
    }
  }
}

/// Curves over 8-bit values become tables; values that only move stay bytes on the way.
TEST(Onednn, CurvesOverBytesAreTablesAndMovesKeepThem) {
  const Tensor x = random_floats({2, 3, 4, 5}, 1, -4, 4);
  const auto scalar = [](float value) {
    return Tensor::from<float>({}, std::vector<float>{value});
  };
  const auto axis = graph::AxisAttributes{};
  for (const Op op : {Op::HardSwish, Op::Sigmoid, Op::Tanh, Op::Erf, Op::LeakyRelu, Op::Clip}) {
    graph::Model model = make_model(
        {x},
        {{"xs", scalar(4.0F / 127)}, {"ys", scalar(0.03F)}, {"z", Tensor(DType::I8, {})}},
        {make_node("xq", Op::QuantizeLinear, {"x0", "xs", "z"}, axis),
         make_node("xd", Op::DequantizeLinear, {"xq", "xs", "z"}, axis),
         make_node("curve", op, {"xd"}, graph::default_attributes(op)),
         make_node("yq", Op::QuantizeLinear, {"curve", "ys", "z"}, axis),
         make_node("yd", Op::DequantizeLinear, {"yq", "ys", "z"}, axis),
         make_node("larger", Op::Resize, {"yd"}, graph::ResizeAttributes{}),
         make_node("part", Op::Slice, {"larger"}, graph::SliceAttributes{3, 2, 9}),
         make_node("rows", Op::Reshape, {"part"}, graph::ReshapeAttributes{{3, 56}}),
         make_node("zq", Op::QuantizeLinear, {"rows", "ys", "z"}, axis)});
    EXPECT_EQ(count_stages<onednn::Lookup>(model), 1) << graph::to_string(op);
    EXPECT_EQ(count_stages<onednn::Curve>(model), 0);
    EXPECT_EQ(count_stages<onednn::Quantise>(model), 1);
    EXPECT_EQ(count_stages<onednn::Enlarge>(model), 1);
    const Tensor expected = run_model(model, {x}, "reference")[0];
    EXPECT_EQ(largest_step(run_model(model, {x}, "onednn")[0], expected), 0);
    model.graph.outputs = {"zq", "rows"};  // read as floats, too
    EXPECT_EQ(largest_step(run_model(model, {x}, "onednn")[0], expected), 0);
    EXPECT_EQ(largest_step(run_model(model, {x}, "reference")[0], expected), 0);
  }
}

/// Windows that hang over the edges, odd sizes, few and many channels, both signs, one scale before
/// and after or two.
TEST(Onednn, BytePoolsAgreeExactly) {
  const std::vector<graph::PoolAttributes> pools{{},
                                                 {{3, 3}, {2, 2}, {1, 1, 1, 1}},
                                                 {{2, 3}, {1, 2}, {0, 2, 1, 0}},
                                                 {{1, 1}, {1, 1}, {0, 0, 0, 0}}};
  for (const int64_t channels : {1, 3, 16, 17, 40}) {
    for (const graph::PoolAttributes& pool : pools) {
      for (const DType dtype : {DType::U8, DType::I8}) {
        const Tensor x = random_floats({3, channels, 9, 7}, static_cast<uint64_t>(channels));
        const auto scale = [](float value) {
          return Tensor::from<float>({}, std::vector<float>{value});
        };
        const graph::AxisAttributes axis;
        const graph::Model model =
            make_model({x},
                       {{"a", scale(0.01F)}, {"b", scale(0.013F)}, {"zero", Tensor(dtype, {})}},
                       {make_node("q1", Op::QuantizeLinear, {"x0", "a", "zero"}, axis),
                        make_node("dq1", Op::DequantizeLinear, {"q1", "a", "zero"}, axis),
                        make_node("pool", Op::MaxPool, {"dq1"}, pool),
                        make_node("q2", Op::QuantizeLinear, {"pool", "b", "zero"}, axis)});
        EXPECT_EQ(
            largest_step(run_model(model, {x}, "onednn")[0], run_model(model, {x}, "reference")[0]),
            0)
            << channels;
      }
    }
  }
}

/// The sum of a block is made inside its last convolution; it costs a loop of its own only where
/// the graph rounds before it.
TEST(Onednn, ResidualsAreFused) {
  const graph::ModelInput input = image_input(3, 12);
  const graph::Model model = random_network({"resnet", {8, 12}, 2, 0}, input, 1);
  const Tensor x = samples_for(input, 4, 2);
  constexpr int64_t kLayers = 1 + 4 * 2 + 1 + 1;
  EXPECT_EQ(count_stages<onednn::Product>(model), kLayers);
  EXPECT_EQ(count_stages<onednn::Arithmetic>(model), 0);
  EXPECT_EQ(count_stages<onednn::Rectify>(model), 0);
  EXPECT_EQ(count_stages<onednn::Product>(to_qdq(model, x)), kLayers);
  EXPECT_EQ(count_stages<onednn::ByteAdd>(to_qdq(model, x)), 0);
  EXPECT_EQ(count_stages<onednn::ByteAdd>(to_qdq(model, x, {.quantise_sums = true})), 4);
}

TEST(Onednn, AResidualThatIsReadLaterIsNotOverwritten) {
  const Tensor x = random_floats({2, 16, 6, 6}, 1);
  const graph::ConvAttributes conv;
  graph::Model model = make_model({x},
                                  {{"a", random_floats({16, 16, 1, 1}, 2)},
                                   {"b", random_floats({16, 16, 1, 1}, 3)},
                                   {"c", random_floats({16, 16, 1, 1}, 4)}},
                                  {make_node("first", Op::Conv, {"x0", "a"}, conv),
                                   make_node("second", Op::Conv, {"first", "b"}, conv),
                                   make_node("third", Op::Conv, {"second", "c"}, conv),
                                   make_node("sum", Op::Add, {"third", "first"}),
                                   make_node("product", Op::Mul, {"sum", "first"})});
  for (const auto& outputs : {std::vector<std::string>{"product"}, {"product", "sum", "first"}}) {
    model.graph.outputs = outputs;
    const auto expected = run_model(model, {x}, "reference");
    const auto result = run_model(model, {x}, "onednn");
    for (size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_LT(relative_difference(result[i], expected[i]), 1e-5) << outputs[i];
    }
  }
}

/// conv(x) + x, where the residual is also what the convolution reads.
TEST(Onednn, ALayerNeverWritesOverItsOwnInput) {
  const Tensor x = random_floats({3, 16, 6, 6}, 1);
  const graph::Model model =
      make_model({x},
                 {{"a", random_floats({16, 16, 3, 3}, 2)}, {"b", random_floats({16, 16, 3, 3}, 3)}},
                 {make_node("first",
                            Op::Conv,
                            {"x0", "a"},
                            graph::ConvAttributes{{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1}),
                  make_node("second",
                            Op::Conv,
                            {"first", "b"},
                            graph::ConvAttributes{{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1}),
                  make_node("sum", Op::Add, {"second", "first"}),
                  make_node("out", Op::Relu, {"sum"})});
  EXPECT_LT(relative_difference(run_model(model, {x}, "onednn")[0],
                                run_model(model, {x}, "reference")[0]),
            1e-5);
}

/// Channels that fill whole vectors or not, blocks of every width among them.
TEST(Onednn, MeansOfPixelsAreWhatTheReferenceMakesOfThem) {
  for (const int64_t channels : {5, 16, 70, 128}) {
    const Tensor x = random_floats({3, 4, 5, 7}, 1);
    const graph::Model model =
        make_model({x},
                   {{"a", random_floats({channels, 4, 1, 1}, 2)}},
                   {make_node("conv",
                              Op::Conv,
                              {"x0", "a"},
                              graph::ConvAttributes{{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1}),
                    make_node("out", Op::GlobalAveragePool, {"conv"})});
    EXPECT_LT(relative_difference(run_model(model, {x}, "onednn")[0],
                                  run_model(model, {x}, "reference")[0]),
              1e-5)
        << channels;
    const auto steps = measure_steps(*build_engine(model, {.backend = "onednn"}));
    EXPECT_TRUE(std::ranges::any_of(steps, [](const StepTime& step) {
      return step.work == "mean of pixels";
    })) << channels;
  }
}

/// Flatten of an image that is wider than a pixel: the weight's columns follow the layout.
TEST(Onednn, AFlattenedImageIsReadInItsOwnLayout) {
  const Tensor x = random_floats({5, 3, 8, 8}, 1);
  graph::Model model =
      make_model({x},
                 {{"a", random_floats({20, 3, 3, 3}, 2)}, {"b", random_floats({10, 180}, 3)}},
                 {make_node("conv",
                            Op::Conv,
                            {"x0", "a"},
                            graph::ConvAttributes{{3, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1}),
                  make_node("pool", Op::MaxPool, {"conv"}, graph::PoolAttributes{}),
                  make_node("rows", Op::Flatten, {"pool"}),
                  make_node("out", Op::Gemm, {"rows", "b"})});
  for (const auto& outputs : {std::vector<std::string>{"out"}, {"out", "rows"}}) {
    model.graph.outputs = outputs;
    const auto expected = run_model(model, {x}, "reference");
    const auto result = run_model(model, {x}, "onednn");
    for (size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_LT(relative_difference(result[i], expected[i]), 1e-5) << outputs[i];
    }
  }
  const graph::Model bytes = to_qdq(model, x, {.quantise_logits = true});
  EXPECT_LT(relative_difference(run_model(bytes, {x}, "onednn")[0],
                                run_model(bytes, {x}, "reference")[0]),
            0.01);
}

struct SequenceCase {
  int64_t samples;
  int64_t steps;
  int64_t in;
  int64_t hidden;
};

/// Hidden units that fill whole vectors or not, blocks of every width among them.
TEST(Onednn, SequencesAreWhatTheReferenceMakesOfThem) {
  for (const Op op : {Op::Lstm, Op::Gru}) {
    const int64_t gates = op == Op::Lstm ? 4 : 3;
    for (const SequenceCase& size :
         {SequenceCase{1, 7, 3, 4}, {2, 5, 1, 16}, {1, 9, 40, 33}, {3, 4, 6, 64}, {1, 1, 5, 100}}) {
      for (const bool reverse : {false, true}) {
        const Tensor x = random_floats({size.samples, size.steps, size.in}, 1, -4, 4);
        graph::Weights weights{{"w", random_floats({1, gates * size.hidden, size.in}, 2)},
                               {"r", random_floats({1, gates * size.hidden, size.hidden}, 3)}};
        std::vector<std::string> inputs{"x0", "w", "r"};
        if (reverse) {
          weights["b"] = random_floats({1, 2 * gates * size.hidden}, 4);
          inputs.emplace_back("b");
        }
        const graph::Model model = make_model(
            {x}, weights, {make_node("out", op, inputs, graph::RecurrentAttributes{reverse})});
        EXPECT_EQ(count_stages<onednn::Recurrent>(model), 1);
        EXPECT_LT(relative_difference(run_model(model, {x}, "onednn")[0],
                                      run_model(model, {x}, "reference")[0]),
                  1e-5)
            << graph::to_string(op) << " " << size.in << " " << size.hidden << " " << reverse;
      }
    }
  }
}

/// Gates that are wide open or shut: no infinity may come of an exponent out of range.
TEST(Onednn, SaturatedGatesStayFinite) {
  const Tensor x = random_floats({1, 6, 4}, 1, -1e4, 1e4);
  const graph::Model model =
      make_model({x},
                 {{"w", random_floats({1, 4 * 8, 4}, 2)}, {"r", random_floats({1, 4 * 8, 8}, 3)}},
                 {make_node("out", Op::Lstm, {"x0", "w", "r"}, graph::RecurrentAttributes{})});
  EXPECT_LT(relative_difference(run_model(model, {x}, "onednn")[0],
                                run_model(model, {x}, "reference")[0]),
            1e-5);
}

TEST(Onednn, PadsAsTheReferenceDoes) {
  const Tensor x = random_floats({2, 3, 5, 4}, 1);
  for (const graph::PadMode mode :
       {graph::PadMode::Constant, graph::PadMode::Reflect, graph::PadMode::Edge}) {
    for (const graph::Shape& pads : {graph::Shape{0, 0, 1, 2, 0, 0, 3, 1},
                                     {0, 2, 0, 0, 0, 1, 0, 3},
                                     {0, 0, 0, 1, 0, 0, 2, 0}}) {
      const graph::Model model = make_model(
          {x}, {}, {make_node("out", Op::Pad, {"x0"}, graph::PadAttributes{pads, mode, 0.25F})});
      EXPECT_EQ(relative_difference(run_model(model, {x}, "onednn")[0],
                                    run_model(model, {x}, "reference")[0]),
                0);
    }
  }
}

TEST(Onednn, MeansAreThoseOfTheReference) {
  const Tensor x = random_floats({2, 70, 5, 81}, 1);
  for (const graph::Shape& axes : {graph::Shape{1}, {2}, {3}, {1, 2}, {2, 3}, {1, 3}, {1, 2, 3}}) {
    const graph::Model model = make_model(
        {x}, {}, {make_node("out", Op::ReduceMean, {"x0"}, graph::ReduceAttributes{axes})});
    EXPECT_EQ(relative_difference(run_model(model, {x}, "onednn")[0],
                                  run_model(model, {x}, "reference")[0]),
              0)
        << graph::to_string(axes);
  }
}

}  // namespace
}  // namespace coppice::runtime::testing
