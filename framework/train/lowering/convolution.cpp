#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/linear.h>

#include "train/lowering/lowering.h"
#include "train/lowering/winograd_convolution.h"

namespace coppice::train {

namespace {

/// Rounded to what products are computed in; autograd widens its gradient again.
at::Tensor operand(const LoweringArgs& args, const at::Tensor& value) {
  return args.products == args.real ? value : value.to(args.products);
}

at::Tensor result(const LoweringArgs& args, const at::Tensor& product) {
  return args.products == args.real ? product : product.to(args.real);
}

/// Undefined where there is none, which ATen takes for that.
at::Tensor bias_of(const LoweringArgs& args) {
  return args.inputs.size() > 2 ? operand(args, args.inputs[2]) : at::Tensor();
}

/// Images that oneDNN takes and gives channels last, the layout that the norm chain works in.
at::Tensor channels_last(const at::Tensor& x) {
  if (x.dim() != 4 || !x.is_cpu()) {
    return x;
  }
  if (x.size(1) == 1 && x.is_contiguous()) {  // the same memory, but the strides must say so
    return x.as_strided(x.sizes(), {x.size(2) * x.size(3), 1, x.size(3), 1});
  }
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

at::Tensor lower_Conv(const LoweringArgs& args) {
  if (winograd_takes(args)) {
    return winograd_convolution(args.inputs[0], args.inputs[1], args.passed_on);
  }
  const auto& a = args.node.as<graph::ConvAttributes>();
  const at::Tensor weight = operand(args, args.inputs[1]);
  const at::Tensor bias = bias_of(args);
  const bool symmetric = a.pads[0] == a.pads[2] && a.pads[1] == a.pads[3];
  if (symmetric) {
    return result(args,
                  at::conv2d(channels_last(operand(args, args.inputs[0])),
                             weight,
                             bias,
                             a.stride,
                             at::IntArrayRef{a.pads[0], a.pads[1]},
                             a.dilation,
                             a.groups));
  }
  const at::Tensor padded = at::constant_pad_nd(operand(args, args.inputs[0]),
                                                {a.pads[1], a.pads[3], a.pads[0], a.pads[2]});
  return result(
      args,
      at::conv2d(padded, weight, bias, a.stride, at::IntArrayRef{0, 0}, a.dilation, a.groups));
}

at::Tensor lower_ConvTranspose(const LoweringArgs& args) {
  const auto& a = args.node.as<graph::ConvTransposeAttributes>();
  // ATen cuts both sides alike; a negative padding cuts, and one at the end may add as well.
  const at::Tensor full = at::conv_transpose2d(args.inputs[0],
                                               args.inputs[1],
                                               /*bias=*/{},
                                               a.stride,
                                               at::IntArrayRef{0, 0},
                                               at::IntArrayRef{0, 0},
                                               a.groups,
                                               a.dilation);
  const at::Tensor cut = at::constant_pad_nd(
      full,
      {-a.pads[1], a.output_padding[1] - a.pads[3], -a.pads[0], a.output_padding[0] - a.pads[2]});
  const at::Tensor bias = bias_of(args);
  return bias.defined() ? cut + bias.view({1, -1, 1, 1}) : cut;
}

at::Tensor lower_MatMul(const LoweringArgs& args) {
  return args.inputs[0].matmul(args.inputs[1]);
}

at::Tensor lower_Gemm(const LoweringArgs& args) {
  return result(
      args,
      at::linear(operand(args, args.inputs[0]), operand(args, args.inputs[1]), bias_of(args)));
}

}  // namespace coppice::train
