#include <cmath>

#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

/// scale * (x - mean) / sqrt(variance + epsilon) + bias over the dimensions from the axis on (Ba et
/// al., 2016, arXiv:1607.06450).
template <>
void compute<Op::LayerNorm>(const graph::Attributes& attributes,
                            Operands inputs,
                            const View& output) {
  for (const View* input : inputs) {
    require_dtype(*input, DType::F32);
  }
  const double epsilon = std::get<graph::LayerNormAttributes>(attributes).epsilon;
  const float* scale = inputs[1]->as<float>();
  const float* bias = inputs[2]->as<float>();
  const int64_t length = inputs[1]->size();
  for (int64_t start = 0; start < output.size(); start += length) {
    const float* x = inputs[0]->as<float>() + start;
    float* out = output.as<float>() + start;
    double sum = 0;
    for (int64_t i = 0; i < length; ++i) {
      sum += x[i];
    }
    const double mean = sum / static_cast<double>(length);
    double squares = 0;
    for (int64_t i = 0; i < length; ++i) {
      squares += (x[i] - mean) * (x[i] - mean);
    }
    const double factor = 1 / std::sqrt(squares / static_cast<double>(length) + epsilon);
    for (int64_t i = 0; i < length; ++i) {
      out[i] = static_cast<float>((x[i] - mean) * factor) * scale[i] + bias[i];
    }
  }
}

}  // namespace coppice::runtime::reference
