#include <limits>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/ones.h>

#include "train/lowering/lowering.h"

namespace coppice::train {

namespace {

bool padded(const graph::PoolAttributes& a) {
  return a.pads[0] != 0 || a.pads[1] != 0 || a.pads[2] != 0 || a.pads[3] != 0;
}

/// ATen pads both sides alike and by at most half a kernel; the graph has no such limits.
at::Tensor pad(const at::Tensor& x, const graph::PoolAttributes& a, double value) {
  return at::constant_pad_nd(x, {a.pads[1], a.pads[3], a.pads[0], a.pads[2]}, value);
}

}  // namespace

at::Tensor lower_MaxPool(const LoweringArgs& args) {
  const auto& a = args.node.as<graph::PoolAttributes>();
  const at::Tensor x =
      padded(a) ? pad(args.inputs[0], a, -std::numeric_limits<double>::infinity()) : args.inputs[0];
  return at::max_pool2d(x, a.kernel, a.stride);
}

at::Tensor lower_AveragePool(const LoweringArgs& args) {
  const auto& a = args.node.as<graph::PoolAttributes>();
  const at::Tensor& x = args.inputs[0];
  if (!padded(a)) {
    return at::avg_pool2d(x, a.kernel, a.stride);
  }
  // As in ONNX, the mean is over the values under the kernel; padding does not count.
  const at::Tensor ones = at::ones({1, 1, x.size(2), x.size(3)}, x.options());
  return at::avg_pool2d(pad(x, a, 0), a.kernel, a.stride) /
         at::avg_pool2d(pad(ones, a, 0), a.kernel, a.stride);
}

at::Tensor lower_ReduceMean(const LoweringArgs& args) {
  return args.inputs[0].mean(at::IntArrayRef(args.node.as<graph::ReduceAttributes>().axes),
                             /*keepdim=*/true);
}

at::Tensor lower_GlobalAveragePool(const LoweringArgs& args) {
  return args.inputs[0].mean({2, 3}, /*keepdim=*/true);
}

}  // namespace coppice::train
