#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/quantised.h"
#include "runtime/rounding.h"
#include "runtime/xnnpack/convolution.h"
#include "runtime/xnnpack/loops.h"
#include "runtime/xnnpack/native_operator.h"
#include "runtime/xnnpack/stage.h"

namespace coppice::runtime::xnnpack {

namespace {

using graph::DType;
using graph::Tensor;

int32_t native_zero(const Quantisation& quantisation) {
  return quantisation.zero_point + native_offset(quantisation.dtype);
}

/// The bias as XNNPACK takes it; empty when it is no integer.
std::vector<int32_t> integer_bias(const QuantisedLayer& layer) {
  std::vector<int32_t> result;
  for (const float bias : layer.bias) {
    constexpr float kLargest = 1 << 30;
    if (std::abs(bias) > kLargest || bias != std::nearbyint(bias)) {
      return {};
    }
    result.push_back(static_cast<int32_t>(bias));
  }
  return result;
}

/// Integers throughout. XNNPACK's factor of a sum is input scale * weight scale / output scale: 1 *
/// multiplier / 1 makes it the reference's, and the result equal to it.
bool build_in_bytes(Builder& builder, const QuantisedLayer& layer, const Convolution& convolution) {
  const graph::Node& output = *layer.output;
  const std::vector<int32_t> bias = integer_bias(layer);
  if (!layer.residual.empty() || output.dtype == DType::F32 || bias.empty()) {
    return false;
  }
  const int32_t zero = layer.output_zero_point + native_offset(output.dtype);
  const int8_t low = layer.relu ? static_cast<int8_t>(zero) : std::numeric_limits<int8_t>::min();
  const int8_t high = layer.relu && std::isfinite(layer.ceiling)
                          ? round_saturate<int8_t>(layer.ceiling, zero)
                          : std::numeric_limits<int8_t>::max();
  return add_native_operator<int8_t>(
      builder,
      output,
      convolution.input,
      "convolution qc8",
      create_convolution(&xnn_create_convolution2d_nhwc_qc8,
                         convolution.attributes,
                         convolution.in_channels,
                         convolution.out_channels,
                         static_cast<int8_t>(native_zero(layer.input_quantisation)),
                         1.0F,
                         layer.multipliers.data(),
                         convolution.weight.data<int8_t>().data(),
                         bias.data(),
                         static_cast<int8_t>(zero),
                         1.0F,
                         low,
                         high,
                         kNoFlags),
      over_images(&xnn_setup_convolution2d_nhwc_qc8, convolution.height, convolution.width));
}

Finish finish_of(const QuantisedLayer& layer) {
  const Scaled residual{layer.residual_multiplier, native_zero(layer.residual_quantisation)};
  return {layer.bias,
          layer.multipliers,
          layer.residual.empty() ? Scaled{0, 0} : residual,
          {layer.relu ? 0.0F : -kInfinity,
           layer.relu ? layer.ceiling : kInfinity,
           layer.output_zero_point + native_offset(layer.output->dtype)}};
}

/// XNNPACK hands out no sums, which a residual or a float result needs. The floats are integers,
/// and their sums exact below 2^24.
bool build_by_float_sums(Builder& builder,
                         const QuantisedLayer& layer,
                         const Convolution& convolution) {
  const graph::Node& output = *layer.output;
  Convolution floats = convolution;
  floats.weight = Tensor(DType::F32, convolution.weight.shape());
  std::ranges::copy(convolution.weight.data<int8_t>(), floats.weight.data<float>().begin());
  Operator made = make_convolution(floats, nullptr, -kInfinity, kInfinity);
  if (!made) {
    return false;
  }
  const Memory* memory = builder.memory();
  const size_t input = builder.native(convolution.input);
  const bool adds = !layer.residual.empty();
  const int64_t in_size = sample_size(builder.node(convolution.input).shape);
  const auto float_bytes = static_cast<int64_t>(sizeof(float));
  const size_t widened = builder.new_buffer(in_size * float_bytes);
  const size_t sums = builder.new_buffer(sample_size(output.shape) * float_bytes);
  const size_t residual = adds ? builder.native(layer.residual) : sums;
  builder.add_loop(
      "i8 to f32",
      [=, zero = native_zero(layer.input_quantisation)](int64_t batch) {
        widen(memory->at<int8_t>(input), zero, batch * in_size, memory->at<float>(widened));
      },
      {input, widened});
  builder.add_operator(
      "convolution f32 of integers",
      std::move(made),
      set_up<float>(
          memory,
          widened,
          sums,
          over_images(&xnn_setup_convolution2d_nhwc_f32, convolution.height, convolution.width)),
      {widened, sums});
  const bool is_float = output.dtype == DType::F32;
  const size_t target = is_float ? sums : builder.new_buffer(output);
  builder.add_loop(
      adds ? "scale and add" : "scale",
      [=, finish = finish_of(layer), out_size = sample_size(output.shape)](int64_t batch) {
        const int8_t* added = adds ? memory->at<int8_t>(residual) : nullptr;
        if (is_float) {
          finish.to_floats(memory->at<float>(sums), added, batch * out_size);
        } else {
          finish.to_bytes(
              memory->at<float>(sums), added, batch * out_size, memory->at<int8_t>(target));
        }
      },
      {residual, sums, target});
  builder.define(output, Form::Native, target);
  return true;
}

}  // namespace

std::optional<Stage> match_quantised(ModelIndex& index, const graph::Node& last) {
  std::optional<QuantisedLayer> layer = match_quantised_layer(index, last);
  if (!layer) {
    return std::nullopt;
  }
  Convolution convolution = convolution_of(index, *layer->layer, layer->input, layer->weight);
  std::vector<std::string> inputs{convolution.input};
  if (!layer->residual.empty()) {
    inputs.push_back(layer->residual);
  }
  return Stage{&last,
               std::move(inputs),
               [layer = *std::move(layer), convolution = std::move(convolution)](Builder& builder) {
                 return build_in_bytes(builder, layer, convolution) ||
                        build_by_float_sums(builder, layer, convolution);
               }};
}

}  // namespace coppice::runtime::xnnpack
