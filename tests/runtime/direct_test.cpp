// Our own kernels against the reference backend: no integer may differ, floats by their rounding.

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "runtime/models.h"
#include "runtime/onednn/avx512.h"

namespace coppice::runtime::testing {
namespace {

using graph::DType;
using graph::Op;
using graph::Tensor;

struct SmallLayer {
  std::string name;
  graph::Shape x;       ///< NCHW, or rows
  graph::Shape weight;  ///< of a Conv, or [out, in] of a Gemm
  graph::ConvAttributes conv{};
  DType in = DType::U8;
  std::optional<DType> out = DType::U8;  ///< nullopt: floats
  std::optional<Op> activation = std::nullopt;
  std::optional<DType> residual = std::nullopt;
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest finds it by this name
void PrintTo(const SmallLayer& layer, std::ostream* out) {
  *out << layer.name;
}

Tensor one_float(float value) {
  return Tensor::from<float>({}, std::vector<float>{value});
}

/// Q → DQ → layer → [Add] → [ReLU | ReLU6] → [Q], with rounding that is not trivial.
class LayerModel {
 public:
  explicit LayerModel(const SmallLayer& layer) : layer_(layer) {
    const auto seed = static_cast<uint64_t>(layer.weight[0] + 10 * layer.x[1]);
    inputs.push_back(random_floats(layer.x, seed, layer.in == DType::U8 ? 0 : -3, 3));
    const bool is_conv = layer.weight.size() == 4;
    if (layer.in == DType::F32) {
      weights_ = {{"w", random_floats(layer.weight, seed + 1)},
                  {"b", random_floats({layer.weight[0]}, seed + 3)}};
      nodes_.push_back(is_conv ? make_node("layer", Op::Conv, {"x0", "w", "b"}, layer.conv)
                               : make_node("layer", Op::Gemm, {"x0", "w", "b"}));
      finish(seed);
      return;
    }
    weights_["w8"] = random_integers(DType::I8, layer.weight, seed + 1);
    weights_["ws"] = random_floats({layer.weight[0]}, seed + 2, 0.002, 0.02);
    weights_["wz"] = Tensor(DType::I8, {layer.weight[0]});
    weights_["b"] = random_floats({layer.weight[0]}, seed + 3);
    const std::string x = bytes("x0", layer.in, layer.in == DType::U8 ? 3.0F / 255 : 3.0F / 127);
    nodes_.push_back(
        make_node("w", Op::DequantizeLinear, {"w8", "ws", "wz"}, graph::AxisAttributes{0}));
    nodes_.push_back(is_conv ? make_node("layer", Op::Conv, {x, "w", "b"}, layer.conv)
                             : make_node("layer", Op::Gemm, {x, "w", "b"}));
    finish(seed);
  }

  graph::Model model;
  std::vector<Tensor> inputs;

 private:
  /// What follows the layer.
  void finish(uint64_t seed) {
    std::string last = "layer";
    if (layer_.residual) {
      // The graph knows the output's shape; the residual is read as the second input.
      Tensor shaped(DType::F32, output_shape());
      inputs.push_back(random_floats(shaped.shape(), seed + 4, -2, 2));
      const std::string residual =
          *layer_.residual == DType::F32 ? "x1" : bytes("x1", *layer_.residual, 0.017F);
      nodes_.push_back(make_node("sum", Op::Add, {last, residual}));
      last = "sum";
    }
    if (layer_.activation) {
      nodes_.push_back(make_node(
          "activation", *layer_.activation, {last}, graph::default_attributes(*layer_.activation)));
      last = "activation";
    }
    if (layer_.out) {
      quantise(last, *layer_.out, 0.09F);
    }
    model = make_model(inputs, weights_, nodes_);
  }

  graph::Shape output_shape() const {
    graph::Weights weights{{"w", Tensor(DType::F32, layer_.weight)}};
    const graph::Model bare =
        make_model({inputs[0]}, weights, {make_node("layer", Op::Conv, {"x0", "w"}, layer_.conv)});
    graph::Shape shape = bare.graph.at("layer").shape;
    shape[0] = layer_.x[0];
    return shape;
  }

  std::string quantise(const std::string& name, DType dtype, float scale) {
    weights_[name + "_s"] = one_float(scale);
    weights_[name + "_z"] = Tensor(dtype, {});
    nodes_.push_back(make_node(name + "_q",
                               Op::QuantizeLinear,
                               {name, name + "_s", name + "_z"},
                               graph::AxisAttributes{}));
    return name + "_q";
  }

  std::string bytes(const std::string& name, DType dtype, float scale) {
    const std::string quantised = quantise(name, dtype, scale);
    nodes_.push_back(make_node(name + "_d",
                               Op::DequantizeLinear,
                               {quantised, name + "_s", name + "_z"},
                               graph::AxisAttributes{}));
    return name + "_d";
  }

  const SmallLayer& layer_;
  graph::Weights weights_;
  std::vector<graph::Node> nodes_;
};

class DirectLayer : public ::testing::TestWithParam<SmallLayer> {};

graph::ConvAttributes window(graph::Shape kernel,
                             int64_t stride,
                             graph::Shape pads,
                             int64_t groups = 1,
                             int64_t dilation = 1) {
  return {{kernel[0], kernel[1]},
          {stride, stride},
          {pads[0], pads[1], pads[2], pads[3]},
          {dilation, dilation},
          groups};
}

std::vector<SmallLayer> layers() {
  const graph::Shape around{1, 1, 1, 1};
  const DType i8 = DType::I8;
  const DType u8 = DType::U8;
  const DType f32 = DType::F32;
  const auto none = std::nullopt;
  return {
      {"dw_64", {1, 64, 25, 5}, {64, 1, 3, 3}, window({3, 3}, 1, around, 64)},
      {"dw_64_signed", {2, 64, 7, 5}, {64, 1, 3, 3}, window({3, 3}, 1, around, 64), i8, i8},
      {"dw_16_relu",
       {1, 16, 9, 11},
       {16, 1, 3, 3},
       window({3, 3}, 1, around, 16),
       u8,
       i8,
       Op::Relu},
      {"dw_7_relu6", {3, 7, 9, 11}, {7, 1, 3, 3}, window({3, 3}, 1, around, 7), i8, u8, Op::Clip},
      {"dw_48", {2, 48, 12, 13}, {48, 1, 3, 3}, window({3, 3}, 1, around, 48)},
      {"dw_100", {1, 100, 8, 9}, {100, 1, 3, 3}, window({3, 3}, 1, {0, 0, 1, 1}, 100), i8},
      {"dw_5x5", {1, 24, 9, 10}, {24, 1, 5, 5}, window({5, 5}, 1, {2, 2, 2, 2}, 24)},
      {"dw_1x4", {1, 3, 1, 40}, {3, 1, 1, 4}, window({1, 4}, 1, {0, 3, 0, 0}, 3)},
      {"dw_dilated", {1, 10, 11, 12}, {10, 1, 3, 3}, window({3, 3}, 1, {2, 2, 2, 2}, 10, 2)},
      {"dw_many", {1, 577, 3, 4}, {577, 1, 3, 3}, window({3, 3}, 1, around, 577), i8},
      {"dw_float",
       {1, 64, 25, 5},
       {64, 1, 3, 3},
       window({3, 3}, 1, around, 64),
       f32,
       none,
       Op::Relu},
      {"dw_float_odd",
       {2, 37, 11, 21},
       {37, 1, 3, 3},
       window({3, 3}, 1, around, 37),
       f32,
       none,
       Op::Clip},
      {"dw_float_stride",
       {1, 24, 12, 13},
       {24, 1, 3, 3},
       window({3, 3}, 2, {0, 0, 1, 1}, 24),
       f32,
       none},
      {"dw_float_dilated",
       {1, 16, 11, 12},
       {16, 1, 5, 3},
       window({5, 3}, 1, {4, 2, 4, 2}, 16, 2),
       f32,
       none},
      {"dw_float_narrow",
       {1, 20, 3, 2},
       {20, 1, 5, 5},
       window({5, 5}, 1, {2, 2, 2, 2}, 20),
       f32,
       none},
      {"dw_float_past", {1, 3, 1, 40}, {3, 1, 1, 4}, window({1, 4}, 1, {0, 3, 0, 0}, 3), f32, none},
      {"conv_1x1", {1, 64, 25, 5}, {64, 64, 1, 1}, window({1, 1}, 1, {0, 0, 0, 0})},
      {"conv_1x1_odd", {2, 7, 5, 5}, {13, 7, 1, 1}, window({1, 1}, 1, {0, 0, 0, 0}), u8, i8},
      {"conv_1x1_stride", {1, 12, 9, 9}, {20, 12, 1, 1}, window({1, 1}, 2, {0, 0, 0, 0}), i8, i8},
      {"conv_first", {1, 1, 28, 28}, {16, 1, 3, 3}, window({3, 3}, 1, around), i8, u8, Op::Relu},
      {"conv_3x3", {1, 16, 7, 9}, {40, 16, 3, 3}, window({3, 3}, 1, around)},
      {"conv_wide", {1, 8, 6, 7}, {150, 8, 3, 3}, window({3, 3}, 1, around), u8, i8, Op::Clip},
      {"conv_10x4", {1, 1, 49, 10}, {64, 1, 10, 4}, window({10, 4}, 2, {4, 1, 5, 1}), i8, u8},
      {"conv_floats", {1, 5, 6, 6}, {9, 5, 3, 3}, window({3, 3}, 2, around), u8, std::nullopt},
      {"residual", {2, 8, 6, 5}, {16, 8, 3, 3}, window({3, 3}, 1, around), u8, u8, Op::Relu, u8},
      {"residual_signed",
       {1, 9, 6, 5},
       {30, 9, 3, 3},
       window({3, 3}, 1, around),
       i8,
       i8,
       std::nullopt,
       i8},
      {"row", {1, 784}, {256, 784}, {}, i8, u8, Op::Relu},
      {"row_odd", {1, 37}, {150, 37}, {}, u8, i8},
      {"row_floats", {1, 128}, {10, 128}, {}, u8, std::nullopt},
      {"conv_first_float",
       {1, 1, 28, 28},
       {16, 1, 3, 3},
       window({3, 3}, 1, around),
       f32,
       none,
       Op::Relu},
      {"conv_float", {2, 19, 7, 8}, {75, 19, 3, 3}, window({3, 3}, 2, around), f32, none},
      {"conv_float_1x1",
       {1, 64, 25, 5},
       {64, 64, 1, 1},
       window({1, 1}, 1, {0, 0, 0, 0}),
       f32,
       none},
      {"residual_float",
       {2, 8, 6, 5},
       {16, 8, 3, 3},
       window({3, 3}, 1, around),
       f32,
       none,
       Op::Relu,
       f32},
      {"winograd_4",
       {1, 16, 14, 14},
       {32, 16, 3, 3},
       window({3, 3}, 1, around),
       f32,
       none,
       Op::Relu},
      {"winograd_4_odd", {2, 19, 9, 11}, {37, 19, 3, 3}, window({3, 3}, 1, around), f32, none},
      {"winograd_4_pads",
       {1, 16, 13, 18},
       {48, 16, 3, 3},
       window({3, 3}, 1, {0, 2, 1, 0}),
       f32,
       none},
      {"winograd_4_wide", {1, 33, 30, 29}, {130, 33, 3, 3}, window({3, 3}, 1, around), f32, none},
      {"winograd_4_residual",
       {2, 20, 13, 15},
       {20, 20, 3, 3},
       window({3, 3}, 1, around),
       f32,
       none,
       Op::Clip,
       f32},
      {"winograd_2", {1, 64, 7, 5}, {64, 64, 3, 3}, window({3, 3}, 1, around), f32, none},
      {"winograd_2_residual",
       {1, 60, 7, 9},
       {60, 60, 3, 3},
       window({3, 3}, 1, around),
       f32,
       none,
       Op::Relu,
       f32},
      {"rows_of_one_block", {1, 100}, {112, 100}, {}, f32, none},
      {"row_float", {1, 784}, {256, 784}, {}, f32, none, Op::Relu},
      {"rows_float", {3, 33}, {10, 33}, {}, f32, none},
      {"rows", {3, 65}, {70, 65}, {}, i8, i8},
  };
}

INSTANTIATE_TEST_SUITE_P(Layers, DirectLayer, ::testing::ValuesIn(layers()), [](const auto& test) {
  return test.param.name;
});

/// Whether a step's kernel has a name that begins so.
bool runs_kernel(Engine& engine, const LayerModel& layer, std::string_view kernel) {
  std::vector<Tensor> out{run_engine(engine, layer.inputs)};
  const std::vector<StepTime> steps = engine.run_profiled(layer.inputs, out);
  return std::ranges::any_of(
      steps, [&](const StepTime& step) { return step.work.find(kernel) != std::string::npos; });
}

TEST_P(DirectLayer, HasTheReferencesIntegers) {
  if (!onednn::has_avx512()) {
    GTEST_SKIP() << "this processor has no AVX-512 with VNNI";
  }
  const LayerModel layer(GetParam());
  const Tensor expected = run_model(layer.model, layer.inputs, "reference")[0];
  EngineOptions options;
  options.backend = "onednn";
  options.max_batch = layer.inputs[0].dim(0);
  const auto engine = build_engine(layer.model, options);
  const bool is_winograd = GetParam().name.starts_with("winograd");
  EXPECT_TRUE(
      runs_kernel(*engine, layer, is_winograd ? "coppice:avx512_winograd" : "coppice:avx512"));
  const Tensor result = run_engine(*engine, layer.inputs)[0];
  ASSERT_EQ(result.shape(), expected.shape());
  if (expected.dtype() == DType::F32) {
    if (GetParam().in == DType::F32) {
      EXPECT_LT(relative_difference(result, expected), 1e-5);
    } else {
      EXPECT_TRUE(std::ranges::equal(result.data<float>(), expected.data<float>()));
    }
    return;
  }
  EXPECT_EQ(largest_step(result, expected), 0);
  const auto* bytes = expected.bytes();
  const auto different = [&](std::byte b) {
    return b != bytes[0];
  };
  EXPECT_TRUE(std::any_of(bytes, bytes + expected.size(), different)) << "nothing is tested";
}

/// Values on both sides of every boundary between two integers, and far beyond the last.
Tensor values_at_ties(float scale) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> values{0, -0.0F, 1e30F, -1e30F, kInfinity, -kInfinity, 1e-40F};
  for (int step = -300; step <= 300; ++step) {
    const float tie = (static_cast<float>(step) + 0.5F) * scale;
    for (const float value :
         {tie, std::nextafter(tie, kInfinity), std::nextafter(tie, -kInfinity), tie + scale / 2}) {
      values.push_back(value);
    }
  }
  return Tensor::from<float>({1, std::ssize(values)}, values);
}

TEST(DirectLoops, QuantiseAsADivisionDoes) {
  for (const DType dtype : {DType::U8, DType::I8}) {
    for (const float scale : {1.0F, 0.1F, 3.0F / 127, 7.7e-5F, 123.4F, 0.0333333F, 1e-30F}) {
      const Tensor x = values_at_ties(scale);
      const graph::Model model = make_model(
          {x},
          {{"s", one_float(scale)}, {"z", Tensor(dtype, {})}},
          {make_node("q", Op::QuantizeLinear, {"x0", "s", "z"}, graph::AxisAttributes{})});
      EXPECT_EQ(
          largest_step(run_model(model, {x}, "onednn")[0], run_model(model, {x}, "reference")[0]),
          0)
          << scale;
    }
  }
}

/// An Add of integers and its ReLU, every pair of values among them.
TEST(DirectLoops, AddAsTheReferenceDoes) {
  Tensor a(DType::F32, {1, 1, 256, 256});
  Tensor b(DType::F32, {1, 1, 256, 256});
  for (size_t i = 0; i < 256 * 256; ++i) {
    a.data<float>()[i] = static_cast<float>(i / 256) - 128;
    b.data<float>()[i] = static_cast<float>(i % 256) - 128;
  }
  for (const DType dtype : {DType::U8, DType::I8}) {
    const graph::AxisAttributes axis;
    const graph::Model model =
        make_model({a, b},
                   {{"one", one_float(1)},
                    {"sa", one_float(0.0317F)},
                    {"sb", one_float(0.0211F)},
                    {"sc", one_float(0.0271F)},
                    {"i8", Tensor(DType::I8, {})},
                    {"z", Tensor(dtype, {})}},
                   {make_node("aq", Op::QuantizeLinear, {"x0", "one", "i8"}, axis),
                    make_node("ad", Op::DequantizeLinear, {"aq", "sa", "i8"}, axis),
                    make_node("bq", Op::QuantizeLinear, {"x1", "one", "i8"}, axis),
                    make_node("bd", Op::DequantizeLinear, {"bq", "sb", "i8"}, axis),
                    make_node("sum", Op::Add, {"ad", "bd"}),
                    make_node("relu", Op::Relu, {"sum"}),
                    make_node("q", Op::QuantizeLinear, {"relu", "sc", "z"}, axis)});
    const Tensor expected = run_model(model, {a, b}, "reference")[0];
    EXPECT_LE(largest_step(run_model(model, {a, b}, "onednn")[0], expected),
              onednn::has_avx512() ? 0 : 1);
  }
}

}  // namespace
}  // namespace coppice::runtime::testing
