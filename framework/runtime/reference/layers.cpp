#include "runtime/reference/kernel.h"
#include "runtime/reference/products.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

namespace {

void require_floats(Operands inputs) {
  for (const View* input : inputs) {
    require_dtype(*input, DType::F32);
  }
}

/// Adds the bias, if any, to what a product hands over.
auto adding_bias(Operands inputs, const View& output) {
  const float* bias = inputs.size() > 2 ? inputs[2]->as<float>() : nullptr;
  const int64_t channels = output.shape[1];
  const int64_t plane = output.size() / (output.shape[0] * channels);
  float* out = output.as<float>();
  return [=](int64_t n, int64_t c, int64_t place, const float* sums, int64_t count) {
    float* target = out + (n * channels + c) * plane + place;
    for (int64_t i = 0; i < count; ++i) {
      target[i] = sums[i] + (bias == nullptr ? 0.0F : bias[c]);
    }
  };
}

}  // namespace

template <>
void compute<Op::Conv>(const graph::Attributes& attributes, Operands inputs, const View& output) {
  require_floats(inputs);
  const graph::Shape& x = inputs[0]->shape;
  const ConvGeometry geometry{std::get<graph::ConvAttributes>(attributes),
                              x[0],
                              x[1],
                              x[2],
                              x[3],
                              output.shape[1],
                              output.shape[2],
                              output.shape[3]};
  convolve<float, float, float>(
      geometry, inputs[0]->as<float>(), inputs[1]->as<float>(), 0, adding_bias(inputs, output));
}

template <>
void compute<Op::Gemm>(const graph::Attributes&, Operands inputs, const View& output) {
  require_floats(inputs);
  const graph::Shape& x = inputs[0]->shape;
  multiply<float, float, float>({x[0], x[1], output.shape[1]},
                                inputs[0]->as<float>(),
                                inputs[1]->as<float>(),
                                0,
                                adding_bias(inputs, output));
}

}  // namespace coppice::runtime::reference
