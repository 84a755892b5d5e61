#include <algorithm>
#include <cstring>

#include "runtime/xnnpack/stage.h"

namespace coppice::runtime::xnnpack {

namespace {

using graph::Node;
using graph::Op;

/// One operand of a Concat: its share of every row.
struct Piece {
  size_t buffer = 0;
  int64_t bytes = 0;
};

int64_t native_axis(int64_t axis, size_t rank) {
  if (rank != 4) {
    return axis;
  }
  return axis == 1 ? 3 : axis - 1;
}

bool build_concat(Builder& builder, const Node& last) {
  const graph::Shape to = native_shape(last.shape);
  const auto axis =
      static_cast<size_t>(native_axis(last.as<graph::AxisAttributes>().axis, last.shape.size()));
  int64_t rows = 1;
  int64_t inner = graph::size_bytes(last.dtype);
  for (size_t i = 1; i < to.size(); ++i) {
    if (i < axis) {
      rows *= to[i];
    } else if (i > axis) {
      inner *= to[i];
    }
  }
  std::vector<Piece> pieces;
  std::vector<size_t> buffers;
  for (const std::string& name : last.inputs) {
    const graph::Shape shape = native_shape(builder.node(name).shape);
    pieces.push_back({builder.native(name), shape[axis] * inner});
    buffers.push_back(pieces.back().buffer);
  }
  const size_t y = builder.new_buffer(last);
  buffers.push_back(y);
  builder.add_loop(
      "concat",
      [=, memory = builder.memory(), row_bytes = to[axis] * inner](int64_t batch) {
        int64_t offset = 0;
        for (const Piece& piece : pieces) {
          const auto* from = memory->at<std::byte>(piece.buffer);
          auto* target = memory->at<std::byte>(y) + offset;
          for (int64_t row = 0; row < batch * rows; ++row) {
            std::memcpy(target + row * row_bytes,
                        from + row * piece.bytes,
                        static_cast<size_t>(piece.bytes));
          }
          offset += piece.bytes;
        }
      },
      buffers);
  builder.define(last, Form::Native, y);
  return true;
}

}  // namespace

/// Other names for the same values, and values side by side.
std::optional<Stage> match_move(ModelIndex& index, const Node& last) {
  const bool is_activation = std::ranges::none_of(
      last.inputs, [&](const std::string& name) { return index.is_constant(name); });
  if (!is_activation) {
    return std::nullopt;
  }
  switch (last.op) {
    case Op::Flatten:
    case Op::Reshape:
    case Op::Dropout:
      return Stage{&last, last.inputs, [&last](Builder& builder) {
                     builder.alias(last, last.inputs[0]);
                     return true;
                   }};
    case Op::Concat:
      return last.as<graph::AxisAttributes>().axis > 0
                 ? std::optional(Stage{&last,
                                       last.inputs,
                                       [&last](Builder& builder) {
                                         return build_concat(builder, last);
                                       }})
                 : std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace coppice::runtime::xnnpack
