#include "runtime/reference/quantised_layer.h"

#include <algorithm>
#include <cmath>

#include "runtime/reference/products.h"
#include "runtime/rounding.h"

namespace coppice::runtime::reference {

namespace {

using graph::DType;
using graph::Op;

/// A value of an 8-bit view.
int32_t byte_at(const View& view, int64_t i) {
  return view.dtype == DType::U8 ? int32_t{view.as<uint8_t>()[i]} : int32_t{view.as<int8_t>()[i]};
}

void write(const View& output, int64_t i, float value, int32_t zero_point) {
  switch (output.dtype) {
    case DType::U8:
      output.as<uint8_t>()[i] = round_saturate<uint8_t>(value, zero_point);
      break;
    case DType::I8:
      output.as<int8_t>()[i] = round_saturate<int8_t>(value, zero_point);
      break;
    default:
      output.as<float>()[i] = value;
  }
}

template <class X>
void run_typed(const QuantisedLayer& layer,
               const View& input,
               const View* residual,
               const View& output) {
  const int64_t channels = output.shape[1];
  const int64_t plane = output.size() / (output.shape[0] * channels);
  const auto store = [&](int64_t n, int64_t c, int64_t place, const int32_t* sums, int64_t count) {
    const float bias = layer.bias[static_cast<size_t>(c)];
    const float multiplier = layer.multipliers[static_cast<size_t>(c)];
    const int64_t start = (n * channels + c) * plane + place;
    for (int64_t i = 0; i < count; ++i) {
      float value = (static_cast<float>(sums[i]) + bias) * multiplier;
      if (residual != nullptr) {
        const int32_t added =
            byte_at(*residual, start + i) - layer.residual_quantisation.zero_point;
        value = std::fma(static_cast<float>(added), layer.residual_multiplier, value);
      }
      value = layer.relu ? std::min(std::max(value, 0.0F), layer.ceiling) : value;
      write(output, start + i, value, layer.output_zero_point);
    }
  };
  const X* x = input.as<X>();
  const auto weight = layer.weight.data<int8_t>();
  const int32_t zero = layer.input_quantisation.zero_point;
  if (layer.layer->op == Op::Gemm) {
    const int64_t in = layer.weight.dim(1);
    multiply<X, int8_t, int32_t>({input.size() / in, in, channels}, x, weight.data(), zero, store);
    return;
  }
  const ConvGeometry geometry{layer.layer->as<graph::ConvAttributes>(),
                              input.shape[0],
                              input.shape[1],
                              input.shape[2],
                              input.shape[3],
                              channels,
                              output.shape[2],
                              output.shape[3]};
  convolve<X, int8_t, int32_t>(geometry, x, weight.data(), zero, store);
}

}  // namespace

void run_quantised_layer(const QuantisedLayer& layer,
                         const View& input,
                         const View* residual,
                         const View& output) {
  if (input.dtype == DType::U8) {
    run_typed<uint8_t>(layer, input, residual, output);
  } else {
    run_typed<int8_t>(layer, input, residual, output);
  }
}

}  // namespace coppice::runtime::reference
