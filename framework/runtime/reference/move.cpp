// Kernels that put values in other places.

#include <algorithm>
#include <cstring>

#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

namespace {

/// Calls store(place in the output, place in the input): `source(dimension, coordinate)` tells the
/// coordinate along `input_axis[dimension]` of the input, negative where nothing stands, and the
/// place is -1 then. No axes mean the same ones.
template <class Source, class Store>
void for_each_place(const View& input,
                    const View& output,
                    const graph::Shape& input_axis,
                    Source source,
                    Store store) {
  const size_t rank = output.shape.size();
  const int64_t count = output.size();
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i;
    int64_t place = 0;
    for (size_t d = rank; d-- > 0 && place >= 0;) {
      const int64_t coordinate = source(d, rest % output.shape[d]);
      rest /= output.shape[d];
      const auto axis =
          static_cast<size_t>(input_axis.empty() ? static_cast<int64_t>(d) : input_axis[d]);
      int64_t stride = 1;
      for (size_t e = axis + 1; e < input.shape.size(); ++e) {
        stride *= input.shape[e];
      }
      place = coordinate < 0 ? -1 : place + coordinate * stride;
    }
    store(i, place);
  }
}

void pad(const graph::PadAttributes& a, const View& input, const View& output) {
  const auto source = [&](size_t d, int64_t i) {
    const int64_t size = input.shape[d];
    int64_t from = i - a.pads[d];
    if (a.mode == graph::PadMode::Edge) {
      from = std::clamp<int64_t>(from, 0, size - 1);
    } else if (a.mode == graph::PadMode::Reflect) {
      from = from < 0 ? -from : from;
      from = from >= size ? 2 * (size - 1) - from : from;
    }
    return from >= size ? int64_t{-1} : from;
  };
  for_each_place(input, output, {}, source, [&](int64_t i, int64_t place) {
    output.as<float>()[i] = place < 0 ? a.value : input.as<float>()[place];
  });
}

}  // namespace

template <>
void compute<Op::Transpose>(const graph::Attributes& attributes,
                            Operands inputs,
                            const View& output) {
  require_dtype(*inputs[0], output.dtype);
  const auto size = static_cast<size_t>(graph::size_bytes(output.dtype));
  for_each_place(
      *inputs[0],
      output,
      std::get<graph::TransposeAttributes>(attributes).order,
      [](size_t, int64_t i) { return i; },
      [&](int64_t i, int64_t place) {
        std::memcpy(output.data + static_cast<size_t>(i) * size,
                    inputs[0]->data + static_cast<size_t>(place) * size,
                    size);
      });
}

template <>
void compute<Op::Pad>(const graph::Attributes& attributes, Operands inputs, const View& output) {
  require_dtype(*inputs[0], output.dtype);
  require_dtype(output, DType::F32);
  pad(std::get<graph::PadAttributes>(attributes), *inputs[0], output);
}

}  // namespace coppice::runtime::reference
