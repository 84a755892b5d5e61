#include <cstring>

#include "core/error.h"
#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::Op;

namespace {

void copy(const View& input, const View& output) {
  require_dtype(input, output.dtype);
  std::memcpy(output.data, input.data, static_cast<size_t>(output.bytes()));
}

}  // namespace

/// An engine binds inputs to the caller's memory, so a graph's input computes nothing.
template <>
void compute<Op::Input>(const graph::Attributes&, Operands inputs, const View& output) {
  if (!inputs.empty()) {
    copy(*inputs[0], output);
  }
}

template <>
void compute<Op::Flatten>(const graph::Attributes&, Operands inputs, const View& output) {
  copy(*inputs[0], output);
}

template <>
void compute<Op::Reshape>(const graph::Attributes&, Operands inputs, const View& output) {
  copy(*inputs[0], output);
}

template <>
void compute<Op::Slice>(const graph::Attributes& attributes, Operands inputs, const View& output) {
  const View& input = *inputs[0];
  require_dtype(input, output.dtype);
  const auto& slice = std::get<graph::SliceAttributes>(attributes);
  const auto axis = static_cast<size_t>(slice.axis);
  int64_t outer = 1;
  for (size_t i = 0; i < axis; ++i) {
    outer *= output.shape[i];
  }
  const int64_t from_bytes = input.bytes() / outer;
  const int64_t place_bytes = from_bytes / input.shape[axis];
  const int64_t places = slice.step == 1 ? 1 : output.shape[axis];
  const int64_t piece_bytes = output.bytes() / outer / places;
  std::byte* to = output.data;
  for (int64_t i = 0; i < outer; ++i) {
    const std::byte* from = input.data + i * from_bytes + slice.start * place_bytes;
    for (int64_t place = 0; place < places; ++place) {
      std::memcpy(to, from + place * slice.step * place_bytes, static_cast<size_t>(piece_bytes));
      to += piece_bytes;
    }
  }
}

template <>
void compute<Op::Dropout>(const graph::Attributes&, Operands inputs, const View& output) {
  copy(*inputs[0], output);
}

template <>
void compute<Op::Concat>(const graph::Attributes& attributes, Operands inputs, const View& output) {
  const auto axis = static_cast<size_t>(std::get<graph::AxisAttributes>(attributes).axis);
  int64_t outer = 1;
  for (size_t i = 0; i < axis; ++i) {
    outer *= output.shape[i];
  }
  const int64_t row_bytes = output.bytes() / outer;
  std::byte* start = output.data;
  for (const View* input : inputs) {
    require_dtype(*input, output.dtype);
    const int64_t part_bytes = input->bytes() / outer;
    for (int64_t i = 0; i < outer; ++i) {
      std::memcpy(
          start + i * row_bytes, input->data + i * part_bytes, static_cast<size_t>(part_bytes));
    }
    start += part_bytes;
  }
}

}  // namespace coppice::runtime::reference
