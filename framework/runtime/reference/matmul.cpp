#include <algorithm>

#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

/// Rows of the right operand are added up, so that the inner loop runs along memory.
template <>
void compute<Op::MatMul>(const graph::Attributes&, Operands inputs, const View& output) {
  const View& a = *inputs[0];
  const View& b = *inputs[1];
  require_dtype(a, DType::F32);
  require_dtype(b, DType::F32);
  const int64_t inner = a.shape.back();
  const int64_t columns = output.shape.back();
  const int64_t rows = output.size() / columns;
  const int64_t rows_per_matrix = b.shape.size() == 2 ? rows : a.shape[a.shape.size() - 2];
  for (int64_t row = 0; row < rows; ++row) {
    const float* left = a.as<float>() + row * inner;
    const float* right = b.as<float>() + row / rows_per_matrix * inner * columns;
    float* out = output.as<float>() + row * columns;
    std::fill(out, out + columns, 0.0F);
    for (int64_t k = 0; k < inner; ++k) {
      for (int64_t j = 0; j < columns; ++j) {
        out[j] += left[k] * right[k * columns + j];
      }
    }
  }
}

}  // namespace coppice::runtime::reference
