#include <cmath>
#include <limits>
#include <type_traits>

#include "core/error.h"
#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

namespace {

/// Towards zero. ONNX leaves values out of range open; this saturates, and NaN gives 0.
template <class To, class From>
To convert(From value) {
  if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(value);
  } else {
    using Limits = std::numeric_limits<To>;
    if constexpr (std::is_floating_point_v<From>) {
      if (std::isnan(value)) {
        return 0;
      }
      const auto high = static_cast<double>(Limits::max());
      const auto low = static_cast<double>(Limits::min());
      const auto x = static_cast<double>(value);
      return x >= high ? Limits::max() : x <= low ? Limits::min() : static_cast<To>(x);
    } else {
      const int64_t x{value};
      return x > int64_t{Limits::max()}   ? Limits::max()
             : x < int64_t{Limits::min()} ? Limits::min()
                                          : static_cast<To>(x);
    }
  }
}

template <class To, class From>
void convert_all(const View& input, const View& output) {
  const From* from = input.as<From>();
  To* to = output.as<To>();
  const int64_t count = output.size();
  for (int64_t i = 0; i < count; ++i) {
    to[i] = convert<To>(from[i]);
  }
}

template <class To>
void convert_from(const View& input, const View& output) {
  switch (input.dtype) {
    case DType::F32:
      return convert_all<To, float>(input, output);
    case DType::U8:
      return convert_all<To, uint8_t>(input, output);
    case DType::I8:
      return convert_all<To, int8_t>(input, output);
    case DType::I32:
      return convert_all<To, int32_t>(input, output);
    case DType::I64:
      return convert_all<To, int64_t>(input, output);
  }
}

}  // namespace

template <>
void compute<Op::Cast>(const graph::Attributes&, Operands inputs, const View& output) {
  switch (output.dtype) {
    case DType::F32:
      return convert_from<float>(*inputs[0], output);
    case DType::U8:
      return convert_from<uint8_t>(*inputs[0], output);
    case DType::I8:
      return convert_from<int8_t>(*inputs[0], output);
    case DType::I32:
      return convert_from<int32_t>(*inputs[0], output);
    case DType::I64:
      return convert_from<int64_t>(*inputs[0], output);
  }
}

}  // namespace coppice::runtime::reference
