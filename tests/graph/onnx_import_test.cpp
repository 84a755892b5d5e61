#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/onnx_file.h"

namespace coppice::graph {
namespace {

using ::testing::AllOf;
using testing::constant_shape;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kCorrupt;
using testing::kUnsupported;
using testing::set;
using testing::set_real;
using testing::set_text;
using File = testing::OnnxFile;

TEST(OnnxImport, GemmWithUntransposedWeightAndRowBias) {
  File file({3});
  file.floats("w", {3, 2}, {1, 2, 3, 4, 5, 6});
  file.floats("b", {1, 2}, {7, 8});
  file.node("Gemm", {"x", "w", "b"}, "y");
  const Model model = file.load();
  const Node& gemm = model.graph.at("y");
  EXPECT_EQ(gemm.shape, (Shape{kBatch, 2}));
  EXPECT_EQ(model.weight(gemm.inputs[1]).shape(), (Shape{2, 3}));
  EXPECT_THAT(model.weight(gemm.inputs[1]).data<float>(), ElementsAre(1, 3, 5, 2, 4, 6));
  EXPECT_EQ(model.weight(gemm.inputs[2]).shape(), Shape{2});
  EXPECT_EQ(model.weights.size(), 2U);
}

TEST(OnnxImport, GemmWithTransposedWeight) {
  File file({3});
  file.floats("w", {2, 3}, {1, 2, 3, 4, 5, 6});
  set(file.node("Gemm", {"x", "w"}, "y"), "transB", 1);
  EXPECT_THAT(file.load().weight("w").data<float>(), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(OnnxImport, MatMulWithAConstantIsGemm) {
  File file({3});
  file.floats("w", {3, 2}, {1, 2, 3, 4, 5, 6});
  file.floats("b", {2}, {7, 8});
  file.node("MatMul", {"x", "w"}, "product");
  file.node("Add", {"product", "b"}, "y");
  const Model model = file.load();
  EXPECT_EQ(model.graph.at("product").op, Op::Gemm);
  EXPECT_EQ(model.graph.at("y").op, Op::Add);
}

TEST(OnnxImport, GemmWithOtherFactorsIsRefused) {
  File file({3});
  file.floats("w", {3, 2}, {1, 2, 3, 4, 5, 6});
  set_real(file.node("Gemm", {"x", "w"}, "y"), "alpha", 0.5F);
  EXPECT_THAT(file.refusal(kUnsupported),
              HasSubstr("ONNX node 'y' (Gemm): attribute 'alpha' is 0.5"));
}

TEST(OnnxImport, ReshapeToTwoDimensionsIsFlatten) {
  for (const Shape& target : {Shape{-1, 12}, Shape{0, -1}, Shape{0, 12}}) {
    File file({3, 2, 2});
    constant_shape(file, "target", target);
    file.node("Reshape", {"x", "target"}, "y");
    const Model model = file.load();
    EXPECT_EQ(model.graph.at("y").op, Op::Flatten);
    EXPECT_EQ(model.graph.at("y").shape, (Shape{kBatch, 12}));
    EXPECT_TRUE(model.weights.empty());
  }
  File fixed({3, 2, 2}, 13, 4);
  constant_shape(fixed, "target", {4, -1});
  fixed.node("Reshape", {"x", "target"}, "y");
  EXPECT_EQ(fixed.load().graph.at("y").op, Op::Flatten);
}

TEST(OnnxImport, ReshapeThatMixesSamplesIsRefused) {
  for (const Shape& target :
       {Shape{-1, 6}, Shape{4, -1}, Shape{-1, 3, 5}, Shape{0, 13}, Shape{0, -2, -6}, Shape{-1}}) {
    File file({3, 2, 2});
    constant_shape(file, "target", target);
    file.node("Reshape", {"x", "target"}, "y");
    EXPECT_THAT(file.refusal(kUnsupported), HasSubstr("ONNX node 'y' (Reshape)"));
  }
  File dynamic({3, 2, 2});
  dynamic.node("Reshape", {"x", "x"}, "y");
  EXPECT_THAT(dynamic.refusal(kUnsupported), HasSubstr("must be a constant"));
}

TEST(OnnxImport, ReshapeToMoreDimensionsKeepsTheBatch) {
  for (const Shape& target : {Shape{-1, 3, 4}, Shape{0, -1, 4}, Shape{0, 3, 4}}) {
    File file({3, 2, 2});
    constant_shape(file, "target", target);
    file.node("Reshape", {"x", "target"}, "y");
    const Model model = file.load();
    EXPECT_EQ(model.graph.at("y").op, Op::Reshape);
    EXPECT_EQ(model.graph.at("y").shape, (Shape{kBatch, 3, 4}));
  }
}

TEST(OnnxImport, ClipTakesItsLimitsFromEitherPlace) {
  File old({3}, 9);
  auto& clip = old.node("Clip", {"x"}, "y");
  set_real(clip, "min", -1);
  set_real(clip, "max", 2);
  EXPECT_EQ(old.load().graph.at("y").as<ClipAttributes>(), (ClipAttributes{-1, 2}));
  File file({3});
  file.floats("low", {}, {0});
  file.node("Clip", {"x", "low"}, "y");
  const auto open = file.load().graph.at("y").as<ClipAttributes>();
  EXPECT_EQ(open.low, 0);
  EXPECT_EQ(open.high, std::numeric_limits<float>::max());
  File wrong({3});
  wrong.floats("low", {2}, {0, 1});
  wrong.node("Clip", {"x", "low"}, "y");
  EXPECT_THAT(wrong.refusal(kCorrupt), HasSubstr("one f32 value"));
}

/// By whole factors "half_pixel" with "round_prefer_floor", ONNX's defaults, pick the same pixels.
TEST(OnnxImport, ResizeByWholeFactorsIsNearest) {
  File file({1, 2, 2});
  file.floats("scales", {4}, {1, 1, 2, 3});
  file.node("Resize", {"x", "", "scales"}, "y");
  EXPECT_EQ(file.load().graph.at("y").shape, (Shape{kBatch, 1, 4, 6}));
  File odd({1, 2, 2});
  odd.floats("scales", {4}, {1, 1, 1.5F, 2});
  odd.node("Resize", {"x", "", "scales"}, "y");
  EXPECT_THAT(odd.refusal(kUnsupported), HasSubstr("by whole factors also half_pixel"));
  File channels({1, 2, 2});
  channels.floats("scales", {4}, {1, 2, 2, 2});
  channels.node("Resize", {"x", "", "scales"}, "y");
  EXPECT_THAT(channels.refusal(kUnsupported), HasSubstr("height and width"));
  File cubic({1, 2, 2});
  cubic.floats("scales", {4}, {1, 1, 2, 2});
  set_text(cubic.node("Resize", {"x", "", "scales"}, "y"), "mode", "cubic");
  EXPECT_THAT(cubic.refusal(kUnsupported), HasSubstr("cubic by half_pixel"));
}

TEST(OnnxImport, SliceCountsFromEitherEnd) {
  File file({3, 9});
  constant_shape(file, "start", {-1});
  constant_shape(file, "end", {INT64_MAX});
  constant_shape(file, "axis", {-1});
  file.node("Slice", {"x", "start", "end", "axis"}, "y");
  EXPECT_EQ(file.load().graph.at("y").as<SliceAttributes>(), (SliceAttributes{2, 8, 9}));
  File stepped({3, 9});
  constant_shape(stepped, "two", {2});
  constant_shape(stepped, "nine", {9});
  stepped.node("Slice", {"x", "two", "nine", "two", "two"}, "y");
  EXPECT_EQ(stepped.load().graph.at("y").as<SliceAttributes>(), (SliceAttributes{2, 2, 9, 2}));
  File backwards({3, 9});
  constant_shape(backwards, "one", {1});
  constant_shape(backwards, "minus", {-1});
  backwards.node("Slice", {"x", "minus", "one", "one", "minus"}, "y");
  EXPECT_THAT(backwards.refusal(kUnsupported), HasSubstr("steps from 1"));
}

TEST(OnnxImport, DropoutOfOtherProgramsDropsSingleValues) {
  File file({3});
  file.node("Dropout", {"x"}, "y").set_doc_string("whole channels, they say");
  EXPECT_EQ(file.load().graph.at("y").as<DropoutAttributes>().grain, DropoutGrain::Value);
}

TEST(OnnxImport, IdentityNamesWeightsAndNodes) {
  File file({2});
  file.floats("w", {2}, {1, 2});
  file.node("Identity", {"w"}, "shared");
  file.node("Identity", {"shared"}, "again");
  file.node("Mul", {"x", "again"}, "z");
  file.node("Identity", {"z"}, "y");
  const Model model = file.load();
  EXPECT_THAT(model.graph.outputs, ElementsAre("z"));
  EXPECT_THAT(model.graph.at("z").inputs, ElementsAre("x", "w"));
}

TEST(OnnxImport, ConstantsBecomeWeights) {
  File file({2});
  auto& node = file.node("Constant", {}, "c");
  set_real(node, "value_float", 2.5F);
  file.node("Div", {"x", "c"}, "y");
  EXPECT_THAT(file.load().weight("c").data<float>(), ElementsAre(2.5F));
}

TEST(OnnxImport, ConvolutionWithDefaults) {
  File file({2, 5, 5});
  file.floats("w", {1, 2, 3, 3}, std::vector<float>(18, 1));
  file.node("Conv", {"x", "w", ""}, "y");
  const Model model = file.load();
  EXPECT_EQ(model.graph.at("y").as<ConvAttributes>(), (ConvAttributes{.kernel = {3, 3}}));
  EXPECT_EQ(model.graph.at("y").shape, (Shape{kBatch, 1, 3, 3}));
}

TEST(OnnxImport, AutoPadIsRefused) {
  File file({2, 5, 5});
  file.floats("w", {1, 2, 3, 3}, std::vector<float>(18, 1));
  set_text(file.node("Conv", {"x", "w"}, "y"), "auto_pad", "SAME_UPPER");
  EXPECT_THAT(file.refusal(kUnsupported), HasSubstr("'SAME_UPPER'; supported: NOTSET"));
}

TEST(OnnxImport, PoolsThatMeanSomethingElseAreRefused) {
  const auto pool = [](const std::string& op, const char* attribute, int64_t value) {
    File file({2, 5, 5});
    auto& node = file.node(op, {"x"}, "y");
    set(node, "kernel_shape", Shape{3, 3});
    set(node, "pads", Shape{1, 1, 1, 1});
    set(node, attribute, value);
    return file.refusal(kUnsupported);
  };
  EXPECT_THAT(pool("MaxPool", "storage_order", 1), HasSubstr("'storage_order' is 1"));
  EXPECT_THAT(pool("MaxPool", "fancy", 0), HasSubstr("attribute 'fancy' is not supported"));
  File file({2, 6, 6});
  auto& node = file.node("AveragePool", {"x"}, "y");
  set(node, "kernel_shape", Shape{2, 2});
  set(node, "strides", Shape{2, 2});
  set(node, "count_include_pad", 1);
  EXPECT_EQ(file.load().graph.at("y").shape, (Shape{kBatch, 2, 3, 3}));
}

TEST(OnnxImport, OldDropoutAndSoftmax) {
  File file({4}, 9);
  set_real(file.node("Dropout", {"x"}, "d"), "ratio", 0.125F);
  file.node("Softmax", {"d"}, "y");
  const Model model = file.load();
  EXPECT_EQ(model.graph.at("d").as<DropoutAttributes>().rate, 0.125F);
  EXPECT_EQ(model.graph.at("y").as<AxisAttributes>().axis, 1);
  File image({4, 2, 2}, 11);
  image.node("Softmax", {"x"}, "y");
  EXPECT_THAT(image.refusal(kUnsupported), HasSubstr("several axes"));
  File modern({4, 2, 2}, 13);
  modern.node("Softmax", {"x"}, "y");
  EXPECT_EQ(modern.load().graph.at("y").as<AxisAttributes>().axis, 3);
}

TEST(OnnxImport, ZeroPointsMayBeLeftOut) {
  File file({4});
  file.floats("s", {}, {0.5F});
  file.node("QuantizeLinear", {"x", "s"}, "q");
  file.node("DequantizeLinear", {"q", "s"}, "y");
  const Model model = file.load();
  EXPECT_EQ(model.graph.at("q").dtype, DType::U8);
  EXPECT_EQ(model.weight(model.graph.at("y").inputs[2]).dtype(), DType::U8);
}

TEST(OnnxImport, TypedFieldsOfIntegers) {
  File file({2});
  auto& w = file.floats("w", {2, 2}, {});
  w.set_data_type(onnx::TensorProto::INT8);
  for (const int value : {-128, -1, 0, 127}) {
    w.add_int32_data(value);
  }
  file.floats("s", {}, {0.5F});
  auto& zero = file.floats("z", {}, {});
  zero.set_data_type(onnx::TensorProto::INT8);
  zero.add_int32_data(0);
  file.node("DequantizeLinear", {"w", "s", "z"}, "wf");
  set(file.node("Gemm", {"x", "wf"}, "y"), "transB", 1);
  EXPECT_THAT(file.load().weight("w").data<int8_t>(), ElementsAre(-128, -1, 0, 127));
  w.set_int32_data(0, 128);
  EXPECT_THAT(file.refusal(kCorrupt), HasSubstr("ONNX tensor 'w': value 128 is out of range"));
}

TEST(OnnxImport, WeightsListedAsInputsAreNoInputs) {
  File file({2});
  file.floats("w", {2}, {1, 2});
  auto* input = file.graph().add_input();
  *input = file.graph().input(0);
  input->set_name("w");
  file.node("Add", {"x", "w"}, "y");
  EXPECT_EQ(file.load().graph.inputs().size(), 1U);
}

/// The batch may be anywhere in between, but not in what comes out.
TEST(OnnxImport, AnOutputWhoseBatchIsElsewhereIsRefused) {
  File file({3, 4});
  set(file.node("Transpose", {"x"}, "y"), "perm", Shape{1, 0, 2});
  EXPECT_THAT(file.refusal(kUnsupported),
              AllOf(HasSubstr("ONNX node 'y' (Transpose)"), HasSubstr("an output needs")));
  File pooled({3, 4, 4});
  set(pooled.node("Transpose", {"x"}, "t"), "perm", Shape{1, 0, 2, 3});
  pooled.node("GlobalAveragePool", {"t"}, "y");
  EXPECT_THAT(pooled.refusal(kUnsupported),
              AllOf(HasSubstr("ONNX node 't' (Transpose)"), HasSubstr("'y' (GlobalAveragePool)")));
}

TEST(OnnxImport, BatchesThatTravelCostNothing) {
  File file({3, 4});
  file.floats("w", {4, 5}, std::vector<float>(20, 1));
  set(file.node("Transpose", {"x"}, "t"), "perm", Shape{1, 0, 2});
  file.node("MatMul", {"t", "w"}, "m");
  file.node("Relu", {"m"}, "r");
  set(file.node("Transpose", {"r"}, "y"), "perm", Shape{1, 0, 2});
  const Model model = file.load();
  EXPECT_EQ(model.graph.nodes.size(), 3U);
  EXPECT_EQ(model.graph.at("y").op, Op::Relu);
  EXPECT_EQ(model.graph.at("y").shape, (Shape{kBatch, 3, 5}));
}

TEST(OnnxImport, ShapesThatTheFileComputesAreFolded) {
  File file({4, 6});
  file.node("Shape", {"x"}, "s");
  constant_shape(file, "zero", {0});
  constant_shape(file, "two", {2});
  file.node("Gather", {"s", "zero"}, "n");
  file.node("Gather", {"s", "two"}, "features");
  file.node("Div", {"features", "two"}, "half");
  file.node("Concat", {"n", "zero", "two", "half"}, "target");
  file.node("Reshape", {"x", "target"}, "y");
  const Model model = file.load();
  EXPECT_EQ(model.graph.at("y").shape, (Shape{kBatch, 4, 2, 3}));
  EXPECT_EQ(model.graph.nodes.size(), 2U);
  EXPECT_TRUE(model.weights.empty());
}

TEST(OnnxImport, LayersOverTimeAreImagesOfHeightOne) {
  File file({2, 9});
  file.floats("w", {4, 1, 3}, std::vector<float>(12, 1));
  auto& conv = file.node("Conv", {"x", "w"}, "c");
  set(conv, "dilations", Shape{2});
  set(conv, "pads", Shape{4, 0});
  set(conv, "group", 2);
  file.node("Relu", {"c"}, "r");
  auto& pool = file.node("MaxPool", {"r"}, "y");
  set(pool, "kernel_shape", Shape{2});
  set(pool, "strides", Shape{2});
  set(pool, "ceil_mode", 1);
  const Model model = file.load();
  EXPECT_EQ(model.graph.at("y").shape, (Shape{kBatch, 4, 5}));
  EXPECT_EQ(model.graph.nodes.size(), 6U);  // input, two reshapes, Conv, Relu and MaxPool
}

TEST(OnnxImport, SplitsAndGathersAreSlices) {
  File file({4, 6});
  auto* split = &file.node("Split", {"x", "parts"}, "a");
  split->add_output("b");
  set(*split, "axis", -1);
  constant_shape(file, "parts", {2, 4});
  file.graph().mutable_node()->SwapElements(0, 1);
  auto& one = file.node("Constant", {}, "one");
  set(one, "value_int", -1);
  set(file.node("Gather", {"b", "one"}, "y"), "axis", 1);
  const Model model = file.load();
  EXPECT_EQ(model.graph.at("b").as<SliceAttributes>(), (SliceAttributes{2, 2, 6}));
  EXPECT_EQ(model.graph.at("y").shape, (Shape{kBatch, 4}));
  EXPECT_EQ(model.graph.at("y").op, Op::Flatten);
}

TEST(OnnxImport, RecurrentLayersThatMeanSomethingElseAreRefused) {
  const auto gru = [](bool time_first, const char* attribute, int64_t value) {
    File file({5, 3});
    file.floats("w", {1, 6, 3}, std::vector<float>(18, 1));
    file.floats("r", {1, 6, 2}, std::vector<float>(12, 1));
    set(file.node("Transpose", {"x"}, "t"), "perm", Shape{1, 0, 2});
    set(file.node("GRU", {time_first ? "t" : "x", "w", "r"}, "y"), attribute, value);
    return file.refusal(kUnsupported);
  };
  EXPECT_THAT(gru(true, "linear_before_reset", 0), HasSubstr("linear_before_reset"));
  EXPECT_THAT(gru(false, "linear_before_reset", 1), HasSubstr("batch_first=True"));
  EXPECT_THAT(gru(true, "clip", 1), HasSubstr("linear_before_reset"));
}

}  // namespace
}  // namespace coppice::graph
