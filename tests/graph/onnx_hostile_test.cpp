// Files that lie, or that would grow: every one is refused before it costs anything.

#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/onnx_file.h"

namespace coppice::graph {
namespace {

using ::testing::AllOf;
using testing::constant_shape;
using ::testing::HasSubstr;
using testing::kCorrupt;
using testing::kUnsupported;
using testing::message_of;
using testing::set;
using testing::set_real;
using testing::set_text;
using File = testing::OnnxFile;

TEST(OnnxHostile, ConstantsThatWouldGrowAreRefusedBeforeAllocation) {
  File filled({2});
  constant_shape(filled, "huge", {int64_t{1} << 30, int64_t{1} << 30});
  filled.node("ConstantOfShape", {"huge"}, "c");
  filled.node("Add", {"x", "c"}, "y");
  EXPECT_THAT(filled.refusal(kUnsupported), HasSubstr("as long as the batch"));
  File spread({2});
  spread.floats("column", {5000, 1}, std::vector<float>(5000, 1));
  spread.floats("row", {1, 5000}, std::vector<float>(5000, 1));
  spread.node("Mul", {"column", "row"}, "c");
  spread.node("Add", {"x", "c"}, "y");
  EXPECT_THAT(spread.refusal(kUnsupported), HasSubstr("constant of 25000000 values"));
  File overflow({2});
  constant_shape(overflow, "huge", {INT64_MAX});
  overflow.node("Mul", {"huge", "huge"}, "c");
  overflow.node("Reshape", {"x", "c"}, "y");
  EXPECT_THAT(overflow.refusal(kCorrupt), HasSubstr("ONNX node 'c' (Mul)"));
  File zero({2});
  constant_shape(zero, "zero", {0});
  zero.node("Div", {"zero", "zero"}, "c");
  zero.node("Reshape", {"x", "c"}, "y");
  EXPECT_THAT(zero.refusal(kCorrupt), HasSubstr("ONNX node 'c' (Div)"));
}

/// Each constant is small enough; it is their number that is not.
TEST(OnnxHostile, ConstantsHaveABudgetTogether) {
  File filled({2});
  constant_shape(filled, "large", {1 << 20});
  auto& value = *filled.graph().add_initializer();
  value.set_name("seven");
  value.set_data_type(onnx::TensorProto::INT64);
  value.add_dims(1);
  value.add_int64_data(7);
  for (int i = 0; i < 10; ++i) {
    auto* attribute =
        filled.node("ConstantOfShape", {"large"}, "c" + std::to_string(i)).add_attribute();
    attribute->set_name("value");
    attribute->set_type(onnx::AttributeProto::TENSOR);
    *attribute->mutable_t() = value;
  }
  filled.node("Relu", {"x"}, "y");
  EXPECT_THAT(filled.refusal(kUnsupported),
              AllOf(HasSubstr("'c8' (ConstantOfShape)"), HasSubstr("more than 64 MiB")));
  File doubled({2});
  constant_shape(doubled, "c0", Shape(8, 1));
  for (int i = 0; i < 40; ++i) {
    const std::string from = "c" + std::to_string(i);
    set(doubled.node("Concat", {from, from}, "c" + std::to_string(i + 1)), "axis", 0);
  }
  doubled.node("Reshape", {"x", "c40"}, "y");
  EXPECT_THAT(doubled.refusal(kUnsupported), HasSubstr("(Concat): constant ["));
}

TEST(OnnxHostile, WeightsThatNodesShareHaveABudgetToo) {
  File file({256});
  file.floats("w", {256, 256}, std::vector<float>(1 << 16, 0.5F));
  std::string from = "x";
  for (int i = 0; i < 400; ++i) {
    const std::string to = i == 399 ? "y" : "g" + std::to_string(i);
    file.node("Gemm", {from, "w"}, to);
    from = to;
  }
  EXPECT_THAT(file.refusal(kUnsupported), HasSubstr("(Gemm): constant [256, 256]"));
  File norm({1 << 30});
  norm.node("LayerNormalization", {"x"}, "y");
  EXPECT_THAT(norm.refusal(kUnsupported), HasSubstr("'y' (LayerNormalization): constant"));
}

TEST(OnnxHostile, MoreNodesThanAnyNetworkHasAreRefusedBeforeParsing) {
  std::string nodes;
  for (int i = 0; i < 300'000; ++i) {
    nodes += std::string("\x0a\x00", 2);  // an empty node
  }
  onnx::ModelProto frame;
  frame.add_opset_import()->set_version(13);
  frame.mutable_graph();
  std::string text = frame.SerializeAsString();
  text += std::string("\x3a\xc0\xcf\x24", 4) + nodes;  // a graph of 600000 bytes
  EXPECT_THAT(message_of(kUnsupported, [&] { from_onnx(core::as_bytes(text)); }),
              HasSubstr("more than 262144 nodes, names"));
}

TEST(OnnxHostile, SubgraphsAreRefusedHoweverDeep) {
  for (const int depth : {1, 30, 400}) {
    onnx::GraphProto graph;
    for (int i = 0; i < depth; ++i) {
      onnx::GraphProto outer;
      auto* branch = outer.add_node()->add_attribute();
      branch->set_name("then_branch");
      branch->set_type(onnx::AttributeProto::GRAPH);
      branch->mutable_g()->Swap(&graph);
      graph.Swap(&outer);
    }
    File file({2});
    auto& node = file.node("If", {"x"}, "y");
    *node.mutable_attribute() = graph.node(0).attribute();
    EXPECT_THAT(file.refusal(depth < 100 ? kUnsupported : kCorrupt),
                HasSubstr(depth < 100 ? "'y' (If)" : "no ONNX model"))
        << depth;
  }
}

TEST(OnnxHostile, MessagesAreOneLineWhateverTheNames) {
  const std::string bad = "a\nfatal: all is lost\x1b[2J";
  File name({2});
  name.node("Relu", {"x"}, bad);
  name.node("Relu", {bad}, "y");
  EXPECT_THAT(name.refusal(kCorrupt), HasSubstr("name 'a\\x0afatal: all is lost\\x1b[2J'"));
  File op({2});
  op.node(bad, {"x"}, "y");
  EXPECT_THAT(op.refusal(kUnsupported), HasSubstr("(a\\x0afatal"));
  File weight({2});
  weight.floats(bad, {2}, {1, 2});
  weight.node("Add", {"x", bad}, "y");
  EXPECT_THAT(weight.refusal(kCorrupt), HasSubstr("control characters"));
  File endless({2});
  endless.node("Relu", {std::string(100'000, 'n')}, "y");
  EXPECT_LT(endless.refusal(kCorrupt).size(), 2100U);
  File parts({1000});
  auto& split = parts.node("Split", {"x"}, std::string(100'000, 'n'));
  for (int i = 1; i < 1000; ++i) {
    split.add_output("p" + std::to_string(i));
  }
  set(split, "axis", 1);
  EXPECT_LT(parts.refusal(kUnsupported).size(), 2100U);  // a gigabyte of names otherwise
}

/// No value, so no byte is needed for dimensions whose product overflows.
TEST(OnnxHostile, EmptyTensorsOfHugeDimensionsAreRefused) {
  File dimension({2});
  dimension.floats("w", {0, int64_t{1} << 62}, {});
  dimension.node("Add", {"x", "w"}, "y");
  EXPECT_THAT(dimension.refusal(kCorrupt), HasSubstr("'w': dimension 4611686018427387904"));
  const Shape huge{0, 1 << 30, 1 << 30, 1 << 30};
  File quantised({2});
  quantised.floats("w", huge, {});
  quantised.floats("s", {0}, {});
  set(quantised.node("QuantizeLinear", {"w", "s"}, "q"), "axis", 0);
  quantised.node("Relu", {"x"}, "y");
  EXPECT_THAT(quantised.refusal(kCorrupt), HasSubstr("'q' (QuantizeLinear)"));
  File joined({2});
  joined.floats("w0", {0, 1 << 30}, {});
  for (int i = 0; i < 40; ++i) {
    const std::string from = "w" + std::to_string(i);
    set(joined.node("Concat", {from, from}, "w" + std::to_string(i + 1)), "axis", 1);
  }
  joined.node("Relu", {"x"}, "y");
  EXPECT_THAT(joined.refusal(kCorrupt), HasSubstr("constant 'w1' of shape [0, 2147483648]"));
}

/// A Split's parts are named in one go, not each by a search from the first.
TEST(OnnxHostile, ManyPartsTakeNoLongerThanTheyMust) {
  constexpr int kParts = 30'000;
  File file({kParts});
  auto& split = file.node("Split", {"x"}, "y");
  for (int i = 1; i < kParts; ++i) {
    split.add_output("p" + std::to_string(i));
  }
  set(split, "axis", 1);
  EXPECT_EQ(file.load().graph.nodes.size(), kParts + 1U);
}

TEST(OnnxHostile, SizesThatDoNotFitTheDataAreRefusedBeforeAllocation) {
  const auto load = [](const Shape& shape, bool raw) {
    File file({2});
    auto& w = file.floats("w", shape, {});
    if (raw) {
      w.set_raw_data("12345678");
    } else {
      w.add_float_data(1);
    }
    file.node("Add", {"x", "w"}, "y");
    return file.refusal(kCorrupt);
  };
  for (const bool raw : {true, false}) {
    EXPECT_THAT(load({int64_t{1} << 40}, raw), HasSubstr("ONNX tensor 'w'"));
    EXPECT_THAT(load({int64_t{1} << 62}, raw), HasSubstr("ONNX tensor 'w'"));
    EXPECT_THAT(load({int64_t{1} << 32, int64_t{1} << 32}, raw), HasSubstr("too many elements"));
    EXPECT_THAT(load({-2, -1}, raw), HasSubstr("negative dimension"));
    EXPECT_THAT(load({3}, raw), HasSubstr("ONNX tensor 'w'"));
  }
}

TEST(OnnxHostile, OtherDtypesAreRefused) {
  File file({2});
  file.floats("w", {2}, {1, 2}).set_data_type(onnx::TensorProto::DOUBLE);
  file.node("Add", {"x", "w"}, "y");
  EXPECT_THAT(file.refusal(kUnsupported), HasSubstr("'w' has ONNX data type 11; supported: f32"));
  File input({2});
  input.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(10);
  input.node("Relu", {"x"}, "y");
  EXPECT_THAT(input.refusal(kUnsupported), HasSubstr("ONNX input 'x'"));
}

TEST(OnnxHostile, CyclesUnsortedNodesAndMissingTensorsAreRefused) {
  File cycle({2});
  cycle.node("Add", {"x", "b"}, "a");
  cycle.node("Relu", {"a"}, "b");
  cycle.node("Relu", {"b"}, "y");
  EXPECT_THAT(cycle.refusal(kCorrupt), HasSubstr("ONNX node 'a' (Add): input 'b'"));
  File self({2});
  self.node("Identity", {"y"}, "y");
  EXPECT_THAT(self.refusal(kCorrupt), HasSubstr("input 'y'"));
  File output({2});
  output.node("Relu", {"x"}, "z");
  EXPECT_THAT(output.refusal(kCorrupt), HasSubstr("output 'y' names no node"));
}

/// The parts of a layer norm in a file of opset 13; each of the last three may lack its output.
TEST(OnnxHostile, PatternsOfNodesWithoutOutputsAreNone) {
  for (const char* lacking : {"divided", "scaled", "y"}) {
    File file({4});
    file.floats("epsilon", {}, {1e-5F});
    file.floats("scale", {4}, {1, 1, 1, 1});
    file.floats("bias", {4}, {0, 0, 0, 0});
    set(file.node("ReduceMean", {"x"}, "mean"), "axes", Shape{-1});
    file.node("Sub", {"x", "mean"}, "centred");
    file.node("Mul", {"centred", "centred"}, "square");
    set(file.node("ReduceMean", {"square"}, "variance"), "axes", Shape{-1});
    file.node("Add", {"variance", "epsilon"}, "sum");
    file.node("Sqrt", {"sum"}, "root");
    file.node("Div", {"centred", "root"}, "divided");
    file.node("Mul", {"divided", "scale"}, "scaled");
    file.node("Add", {"scaled", "bias"}, "y");
    ASSERT_EQ(file.load().graph.at("y").op, Op::LayerNorm);
    for (auto& node : *file.graph().mutable_node()) {
      if (node.output(0) == lacking) {
        node.clear_output();
        break;
      }
    }
    EXPECT_THROW(file.load(), core::Error) << lacking;
  }
}

TEST(OnnxHostile, RepeatedNamesAreRefused) {
  File nodes({2});
  nodes.node("Relu", {"x"}, "y");
  nodes.node("Relu", {"x"}, "y");
  EXPECT_THAT(nodes.refusal(kCorrupt), HasSubstr("'y' is missing or used twice"));
  File weights({2});
  weights.floats("w", {2}, {1, 2});
  weights.floats("w", {2}, {1, 2});
  weights.node("Add", {"x", "w"}, "y");
  EXPECT_THAT(weights.refusal(kCorrupt), HasSubstr("weight 'w'"));
  File attributes({2});
  auto& node = attributes.node("Softmax", {"x"}, "y");
  set(node, "axis", 1);
  set(node, "axis", 0);
  EXPECT_THAT(attributes.refusal(kCorrupt), HasSubstr("attribute 'axis' is given twice"));
}

TEST(OnnxHostile, UnknownOpsNameTheSupportedOnes) {
  File file({2});
  file.node("Einsum", {"x"}, "y");
  EXPECT_THAT(file.refusal(kUnsupported),
              AllOf(HasSubstr("ONNX node 'y' (Einsum)"), HasSubstr("supported: Add, AveragePool")));
  File domain({2});
  domain.node("Relu", {"x"}, "y").set_domain("com.example");
  EXPECT_THAT(domain.refusal(kUnsupported), HasSubstr("(Relu)"));
  File opset({2}, 99);
  opset.node("Relu", {"x"}, "y");
  EXPECT_THAT(opset.refusal(kUnsupported), HasSubstr("ONNX opset 99; supported: 9 to 18"));
}

}  // namespace
}  // namespace coppice::graph
