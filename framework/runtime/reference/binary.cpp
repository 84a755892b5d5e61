#include <array>
#include <functional>

#include "core/error.h"
#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

namespace {

constexpr size_t kMaxRank = 8;
using Strides = std::array<int64_t, kMaxRank>;

/// Element strides of `view` along the output's dimensions: 0 where it is spread (NumPy's rules).
Strides broadcast_strides(const View& view, const View& output) {
  Strides strides{};
  int64_t stride = 1;
  const size_t offset = output.shape.size() - view.shape.size();
  for (size_t i = view.shape.size(); i-- > 0;) {
    strides[offset + i] = view.shape[i] == 1 ? 0 : stride;
    stride *= view.shape[i];
  }
  return strides;
}

template <class F>
void broadcast(Operands inputs, const View& output, F function) {
  const View& a = *inputs[0];
  const View& b = *inputs[1];
  require_dtype(a, DType::F32);
  require_dtype(b, DType::F32);
  const size_t rank = output.shape.size();
  if (rank == 0 || rank > kMaxRank) {
    throw core::Error(core::ErrorKind::Unsupported, "the kernel takes 1 to 8 dimensions");
  }
  const Strides a_strides = broadcast_strides(a, output);
  const Strides b_strides = broadcast_strides(b, output);
  const int64_t inner = output.shape[rank - 1];
  const int64_t a_step = a_strides[rank - 1];
  const int64_t b_step = b_strides[rank - 1];
  const int64_t rows = output.size() / inner;
  std::array<int64_t, kMaxRank> index{};
  float* out = output.as<float>();
  for (int64_t row = 0; row < rows; ++row) {
    const float* a_row = a.as<float>();
    const float* b_row = b.as<float>();
    for (size_t i = 0; i + 1 < rank; ++i) {
      a_row += index[i] * a_strides[i];
      b_row += index[i] * b_strides[i];
    }
    for (int64_t i = 0; i < inner; ++i) {
      *out++ = function(a_row[i * a_step], b_row[i * b_step]);
    }
    for (size_t i = rank - 1; i-- > 0;) {
      if (++index[i] < output.shape[i]) {
        break;
      }
      index[i] = 0;
    }
  }
}

}  // namespace

template <>
void compute<Op::Add>(const graph::Attributes&, Operands inputs, const View& output) {
  broadcast(inputs, output, std::plus<float>{});
}

template <>
void compute<Op::Sub>(const graph::Attributes&, Operands inputs, const View& output) {
  broadcast(inputs, output, std::minus<float>{});
}

template <>
void compute<Op::Mul>(const graph::Attributes&, Operands inputs, const View& output) {
  broadcast(inputs, output, std::multiplies<float>{});
}

/// The slope spreads over x, never the other way round.
template <>
void compute<Op::PRelu>(const graph::Attributes&, Operands inputs, const View& output) {
  broadcast(inputs, output, [](float x, float slope) { return x < 0 ? slope * x : x; });
}

template <>
void compute<Op::Div>(const graph::Attributes&, Operands inputs, const View& output) {
  broadcast(inputs, output, std::divides<float>{});
}

}  // namespace coppice::runtime::reference
