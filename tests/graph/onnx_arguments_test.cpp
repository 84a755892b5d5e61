// Files whose nodes ask for what cannot be: every one is refused by name.

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
using testing::set;
using testing::set_real;
using testing::set_text;
using File = testing::OnnxFile;

TEST(OnnxArguments, TooManyDimensionsAreRefused) {
  File tensor({2});
  tensor.floats("w", Shape(17, 1), {1});
  tensor.node("Add", {"x", "w"}, "y");
  EXPECT_THAT(tensor.refusal(kCorrupt), HasSubstr("'w': 17 dimensions, at most 16"));
  File input(Shape(16, 1));
  input.node("Relu", {"x"}, "y");
  EXPECT_THAT(input.refusal(kCorrupt), HasSubstr("output of 17 dimensions, at most 16"));
  Shape axes(15);
  std::iota(axes.begin(), axes.end(), 2);
  File added({2});
  constant_shape(added, "axes", axes);
  added.node("Unsqueeze", {"x", "axes"}, "y");
  EXPECT_THAT(added.refusal(kUnsupported), HasSubstr("'y' (Unsqueeze): 17 dimensions"));
  File filled({2});
  constant_shape(filled, "ones", Shape(100'000, 1));
  filled.node("ConstantOfShape", {"ones"}, "c");
  filled.node("Add", {"x", "c"}, "y");
  EXPECT_THAT(filled.refusal(kCorrupt), HasSubstr("constant 'c'"));
}

TEST(OnnxArguments, WindowsOutsideTheirRangeAreRefused) {
  const auto refused = [](const std::string& op, const char* name, const Shape& values) {
    File file({2, 5, 5});
    file.floats("w", {2, 2, 3, 3}, std::vector<float>(36, 1));
    const bool pool = op.ends_with("Pool");
    auto& node = file.node(
        op, pool ? std::vector<std::string>{"x"} : std::vector<std::string>{"x", "w"}, "y");
    if (pool && std::string_view(name) != "kernel_shape") {
      set(node, "kernel_shape", Shape{3, 3});
    }
    set(node, name, values);
    try {
      file.load();
      ADD_FAILURE() << op << " " << name << " " << to_string(values);
    } catch (const core::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("'y' (" + op + ")"));
    }
  };
  for (const char* op : {"Conv", "ConvTranspose", "MaxPool", "AveragePool"}) {
    for (const Shape& values : {Shape{-1, 1},
                                Shape{0, 1},
                                Shape{1},
                                Shape{},
                                Shape{1, 1, 1},
                                Shape{1, INT64_MAX},
                                Shape{INT64_MIN, 1}}) {
      refused(op, "strides", values);
      refused(op, "kernel_shape", values);
    }
    for (const Shape& values : {Shape{-1, 0, 0, 0},
                                Shape{0, 0, 0, INT64_MIN},
                                Shape{1, 1},
                                Shape{INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}}) {
      refused(op, "pads", values);
    }
  }
  for (const char* op : {"Conv", "ConvTranspose"}) {
    for (const Shape& values : {Shape{0, 1}, Shape{-2, 1}, Shape{1, INT64_MAX}, Shape{1}}) {
      refused(op, "dilations", values);
    }
  }
  refused("ConvTranspose", "output_padding", {-1, 0});
  refused("ConvTranspose", "output_padding", {0, INT64_MAX});
  refused("ConvTranspose", "strides", {(int64_t{1} << 31) - 1, (int64_t{1} << 31) - 1});
}

TEST(OnnxArguments, GroupsOutsideTheirRangeAreRefused) {
  for (const char* op : {"Conv", "ConvTranspose"}) {
    for (const int64_t groups : {int64_t{0}, int64_t{-1}, int64_t{3}, INT64_MAX, INT64_MIN}) {
      File file({2, 5, 5});
      file.floats("w", {2, 2, 3, 3}, std::vector<float>(36, 1));
      set(file.node(op, {"x", "w"}, "y"), "group", groups);
      EXPECT_THAT(file.refusal(kCorrupt), HasSubstr("'y' (" + std::string(op) + ")")) << groups;
    }
  }
}

TEST(OnnxArguments, SizesThatAResizeCannotHaveAreRefused) {
  const auto refused = [](std::vector<float> scales, const Shape& sizes, core::ErrorKind kind) {
    File file({2, 5, 5});
    const bool by_size = !sizes.empty();
    if (by_size) {
      constant_shape(file, "sizes", sizes);
      file.node("Resize", {"x", "", "", "sizes"}, "y");
    } else {
      file.floats("scales", {std::ssize(scales)}, scales);
      file.node("Resize", {"x", "", "scales"}, "y");
    }
    set_text(file.graph().mutable_node()->at(by_size ? 1 : 0),
             "coordinate_transformation_mode",
             "asymmetric");
    set_text(file.graph().mutable_node()->at(by_size ? 1 : 0), "nearest_mode", "floor");
    EXPECT_THAT(file.refusal(kind), HasSubstr("'y' (Resize)"));
  };
  const float infinite = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float scale : {-1.F, 0.F, infinite, nan, 1e30F}) {
    refused({1, 1, scale, 1}, {}, kUnsupported);
  }
  refused({1, 1, 1e-9F, 1}, {}, kCorrupt);
  refused({1, 1, 1 << 20, 1 << 20}, {}, kCorrupt);
  refused({1, 1}, {}, kUnsupported);
  const int64_t n = int64_t{1} << 32;  // what a free batch counts as
  refused({}, {n, 2, 0, 1}, kCorrupt);
  refused({}, {n, 2, -5, 1}, kCorrupt);
  refused({}, {n, 2, INT64_MAX, INT64_MAX}, kCorrupt);
  refused({}, {n, 2, 1 << 20, 1 << 20}, kCorrupt);
  refused({}, {n, 2}, kUnsupported);
}

TEST(OnnxArguments, PartsAndOrdersThatDoNotFitAreRefused) {
  for (const Shape& parts :
       {Shape{5}, Shape{-1, 5}, Shape{2, 3}, Shape{INT64_MAX, INT64_MIN}, Shape{0, 4}}) {
    File file({4});
    constant_shape(file, "parts", parts);
    auto& split = file.node("Split", {"x", "parts"}, "y");
    split.add_output("z");
    set(split, "axis", 1);
    EXPECT_THAT(file.refusal(kCorrupt), HasSubstr("(Split)"));
  }
  for (const Shape& order : {Shape{0, 0, 1},
                             Shape{0, 1},
                             Shape{0, 1, 3},
                             Shape{0, -1, 1},
                             Shape{INT64_MIN, 1, 2},
                             Shape(1000, 0)}) {
    File file({3, 4});
    set(file.node("Transpose", {"x"}, "y"), "perm", order);
    EXPECT_THAT(file.refusal(kCorrupt), HasSubstr("'y' (Transpose)"));
  }
  File twice({3, 4}, 18);
  constant_shape(twice, "pads", {1, 1, 1, 1});
  constant_shape(twice, "axes", {2, -1});
  twice.node("Pad", {"x", "pads", "", "axes"}, "y");
  EXPECT_THAT(twice.refusal(kCorrupt), HasSubstr("'y' (Pad): axes [2, 2]"));
}

TEST(OnnxArguments, ExtremeArgumentsOfMovesAreRefused) {
  const auto refused =
      [](const std::string& op, const std::vector<Shape>& lists, core::ErrorKind kind) {
        File file({3, 4});
        std::vector<std::string> inputs{"x"};
        for (size_t i = 0; i < lists.size(); ++i) {
          inputs.push_back("list" + std::to_string(i));
          constant_shape(file, inputs.back(), lists[i]);
        }
        file.node(op, inputs, "y");
        EXPECT_THAT(file.refusal(kind), HasSubstr("'y' (" + op + ")"));
      };
  const int64_t low = INT64_MIN;
  const int64_t high = INT64_MAX;
  refused("Pad", {{0, low, 0, 0, 0, 0}}, kUnsupported);
  refused("Pad", {{0, high, high, 0, high, high}}, kCorrupt);
  refused("Pad", {{0, 1}}, kCorrupt);
  refused("Slice", {{low}, {high}, {low}}, kCorrupt);
  refused("Slice", {{0}, {1}, {1}, {0}}, kCorrupt);
  refused("Slice", {{0}, {1}, {1}, {low}}, kUnsupported);
  refused("Slice", {{high}, {low}, {1}}, kCorrupt);
  refused("Slice", {{0, 0}, {1}, {1, 2}}, kCorrupt);
  refused("Unsqueeze", {{low}}, kCorrupt);
  refused("Squeeze", {{1}}, kUnsupported);
  refused("Gather", {{low}}, kUnsupported);
  refused("Reshape", {{high, high}}, kUnsupported);
  refused("Reshape", {{-1, -1, 12}}, kUnsupported);
  File batch({3}, 13, high);
  batch.node("Relu", {"x"}, "y");
  EXPECT_THAT(batch.refusal(kUnsupported), HasSubstr("impossible batch"));
}

TEST(OnnxArguments, AttributesOfExtremeValuesAreRefused) {
  for (const Shape& pads : {Shape{INT64_MAX, 0, 1, 0}, Shape{0, 0}, Shape{-5, 0, 0, 0}}) {
    File file({2, 5, 5});
    file.floats("w", {1, 2, 3, 3}, std::vector<float>(18, 1));
    set(file.node("Conv", {"x", "w"}, "y"), "pads", pads);
    EXPECT_THAT(file.refusal(kCorrupt), HasSubstr("node 'y' (Conv): pads"));
  }
  File axis({2});
  set(axis.node("Softmax", {"x"}, "y"), "axis", INT64_MIN);
  EXPECT_THAT(axis.refusal(kCorrupt), HasSubstr("axis"));
  File type({2});
  set_text(type.node("Softmax", {"x"}, "y"), "axis", "1");
  EXPECT_THAT(type.refusal(kCorrupt), HasSubstr("attribute 'axis' has another type"));
}

TEST(OnnxArguments, FreeDimensionsBesideTheBatchAreRefused) {
  File file({2, 3});
  file.graph()
      .mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(2)
      ->set_dim_param("width");
  file.node("Relu", {"x"}, "y");
  EXPECT_THAT(file.refusal(kUnsupported), HasSubstr("free dimension"));
}

}  // namespace
}  // namespace coppice::graph
