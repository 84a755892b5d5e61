// Quantised values are carried as real tensors that hold integers, so that gradients pass.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/round.h>

#include "core/error.h"
#include "train/lowering/lowering.h"

namespace coppice::train {

namespace {

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
  const at::Tensor& x = args.inputs[0];
  const at::Tensor scaled = x / along_axis(args.inputs[1], x, args);
  // Straight-through estimator (Bengio et al., 2013): rounding has gradient 1, saturation 0.
  const at::Tensor rounded = scaled + (scaled.detach().round() - scaled.detach());
  const at::Tensor shifted = rounded + along_axis(args.inputs[2], x, args);
  return is_signed ? shifted.clamp(-128, 127) : shifted.clamp(0, 255);
}

at::Tensor lower_DequantizeLinear(const LoweringArgs& args) {
  const at::Tensor x = args.inputs[0].to(args.real);
  return (x - along_axis(args.inputs[2], x, args)) * along_axis(args.inputs[1], x, args);
}

}  // namespace coppice::train
