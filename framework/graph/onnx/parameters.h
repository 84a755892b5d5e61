#pragma once

#include <optional>
#include <string_view>

#include "graph/onnx/reader.h"

/// What ONNX moved from attributes to inputs, and other arguments that several ops share.
namespace coppice::graph {

/// The axis from the front. Throws Error{Corrupt} for one outside the shape.
int64_t axis_of(const onnx::NodeProto& node, int64_t axis, const Shape& shape);

/// The number of dimensions. Throws Error{Unsupported} for more than any value may have.
size_t checked_rank(const onnx::NodeProto& node, size_t rank);

/// The integers of constant input `i`, of any shape. Throws for a tensor that is none.
Shape integers_of(OnnxReader& reader, const onnx::NodeProto& node, int i);

/// A list that is an attribute before `since` and input `i` from then on; nullopt when left out.
std::optional<Shape> list_parameter(OnnxReader& reader,
                                    const onnx::NodeProto& node,
                                    AttributeReader& attributes,
                                    std::string_view name,
                                    int i,
                                    int64_t since);

/// Throws Error{Unsupported} unless the input holds one f32 value.
float real_of(OnnxReader& reader, const onnx::NodeProto& node, int i, std::string_view what);

std::string text_of(AttributeReader& attributes, std::string_view name, std::string_view otherwise);

/// start, start + step, … < end, cut to a dimension of `size` as ONNX does it: count from its end
/// where negative.
struct Range {
  int64_t start = 0;
  int64_t end = 0;
  int64_t step = 1;
};

Range range_within(int64_t size, int64_t start, int64_t end, int64_t step);

/// The arguments of a Slice, axis by axis.
struct SliceArguments {
  Shape axes;
  Shape starts;
  Shape ends;
  Shape steps;
};

SliceArguments slice_arguments(OnnxReader& reader,
                               const onnx::NodeProto& node,
                               AttributeReader& attributes,
                               const Shape& shape);

}  // namespace coppice::graph
