// Quantised values are carried as real tensors that hold integers, so that gradients pass.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/round.h>

#include "core/error.h"
#include "train/lowering/lowering.h"
#include "train/qat/fake_quantise.h"

namespace coppice::train {

namespace {

constexpr double kLeastRange = 1e-30;  // above 0, whatever the batches hold

struct Integers {
  double low = 0;
  double high = 255;
};

Integers integers_of(graph::DType dtype) {
  return dtype == graph::DType::I8 ? Integers{-128, 127} : Integers{};
}

/// Values that share a scale in one sample.
int64_t values_of_sample(const at::Tensor& x, const at::Tensor& scale) {
  return x.numel() / x.size(0) / scale.numel();
}

/// The scale, its gradient times LSQ's factor where it learns.
at::Tensor learned(const at::Tensor& scale, const at::Tensor& x, double high) {
  if (!scale.requires_grad()) {
    return scale;
  }
  return scale.detach() + (scale - scale.detach()) * lsq_gradient(values_of_sample(x, scale), high);
}

/// Moves the scale of a QuantizeLinear towards what the batch's largest value needs.
void follow_range(const LoweringArgs& args) {
  const at::Tensor& scale = args.inputs[1];
  if (!args.training || args.range_momentum <= 0 || scale.requires_grad() || scale.numel() != 1) {
    return;
  }
  const at::NoGradGuard no_grad;
  const at::Tensor x = args.inputs[0].detach();
  const bool is_signed = args.node.dtype == graph::DType::I8;
  const at::Tensor largest = is_signed ? x.abs().amax() : x.amax();
  const at::Tensor wanted = (largest / integers_of(args.node.dtype).high).clamp(kLeastRange);
  scale.lerp_(wanted.reshape(scale.sizes()), args.range_momentum);
}

/// Per-tensor constants as they are, per-channel ones shaped to broadcast along the node's axis.
at::Tensor along_axis(const at::Tensor& constant, const at::Tensor& x, const LoweringArgs& args) {
  const at::Tensor real = constant.to(args.real);
  if (real.numel() == 1) {
    return real.reshape({});
  }
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  const int64_t axis = args.node.as<graph::AxisAttributes>().axis;
  shape[static_cast<size_t>(axis < 0 ? axis + x.dim() : axis)] = real.numel();
  return real.reshape(shape);
}

}  // namespace

at::Tensor lower_QuantizeLinear(const LoweringArgs& args) {
  const bool is_signed = args.node.dtype == graph::DType::I8;
  if (!is_signed && args.node.dtype != graph::DType::U8) {
    throw core::Error(core::ErrorKind::Unsupported,
                      "node '" + args.node.name + "' (QuantizeLinear) quantises to " +
                          std::string(graph::to_string(args.node.dtype)) +
                          "; only u8 and i8 are supported");
  }
  follow_range(args);
  const at::Tensor& x = args.inputs[0];
  const Integers integers = integers_of(args.node.dtype);
  const at::Tensor scaled = x / along_axis(learned(args.inputs[1], x, integers.high), x, args);
  // Straight-through estimator (Bengio et al., 2013): rounding has gradient 1, saturation 0.
  const at::Tensor rounded = scaled + (scaled.detach().round() - scaled.detach());
  const at::Tensor shifted = rounded + along_axis(args.inputs[2], x, args);
  return shifted.clamp(integers.low, integers.high);
}

at::Tensor lower_fake_quantise(const LoweringArgs& quantise) {
  follow_range(quantise);
  const at::Tensor& x = quantise.inputs[0];
  const at::Tensor& scale = quantise.inputs[1];
  const Integers integers = integers_of(quantise.node.dtype);
  return fake_quantise(x,
                       scale,
                       {.low = integers.low,
                        .high = integers.high,
                        .scale_gradient = lsq_gradient(values_of_sample(x, scale), integers.high)});
}

at::Tensor lower_DequantizeLinear(const LoweringArgs& args) {
  const at::Tensor x = args.inputs[0].to(args.real);
  const bool bytes = args.inputs[2].scalar_type() == at::kByte;
  const at::Tensor scale =
      learned(args.inputs[1], x, integers_of(bytes ? graph::DType::U8 : graph::DType::I8).high);
  return (x - along_axis(args.inputs[2], x, args)) * along_axis(scale, x, args);
}

}  // namespace coppice::train
