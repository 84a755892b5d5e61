#include <algorithm>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include "train/lowering/lowering.h"

namespace coppice::train {

at::Tensor lower_Flatten(const LoweringArgs& args) {
  return args.inputs[0].flatten(1);
}

at::Tensor lower_Reshape(const LoweringArgs& args) {
  std::vector<int64_t> shape = args.node.as<graph::ReshapeAttributes>().sample;
  shape.insert(shape.begin(), args.inputs[0].size(0));
  return args.inputs[0].reshape(shape);
}

at::Tensor lower_Slice(const LoweringArgs& args) {
  const auto& slice = args.node.as<graph::SliceAttributes>();
  return args.inputs[0].slice(slice.axis, slice.start, slice.end, slice.step);
}

at::Tensor lower_Transpose(const LoweringArgs& args) {
  return args.inputs[0].permute(args.node.as<graph::TransposeAttributes>().order);
}

namespace {

/// The sources of positions [-before, size + behind) of a dimension, mirrored or clamped into it.
at::Tensor padded_positions(graph::PadMode mode, int64_t size, int64_t before, int64_t behind) {
  std::vector<int64_t> positions;
  for (int64_t i = -before; i < size + behind; ++i) {
    const int64_t mirrored = i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
    positions.push_back(mode == graph::PadMode::Reflect ? mirrored
                                                        : std::clamp<int64_t>(i, 0, size - 1));
  }
  return at::tensor(at::IntArrayRef(positions), at::kLong);
}

}  // namespace

at::Tensor lower_Pad(const LoweringArgs& args) {
  const auto& [pads, mode, value] = args.node.as<graph::PadAttributes>();
  at::Tensor x = args.inputs[0];
  const size_t rank = pads.size() / 2;
  if (mode == graph::PadMode::Constant) {
    std::vector<int64_t> from_the_last;
    for (size_t d = rank; d-- > 1;) {
      from_the_last.push_back(pads[d]);
      from_the_last.push_back(pads[rank + d]);
    }
    return at::constant_pad_nd(x, from_the_last, value);
  }
  for (size_t d = 1; d < rank; ++d) {
    const auto axis = static_cast<int64_t>(d);
    if (pads[d] != 0 || pads[rank + d] != 0) {
      x = x.index_select(
          axis, padded_positions(mode, x.size(axis), pads[d], pads[rank + d]).to(x.device()));
    }
  }
  return x;
}

at::Tensor lower_Resize(const LoweringArgs& args) {
  using graph::ResizeMode;
  const auto& resize = args.node.as<graph::ResizeAttributes>();
  const at::Tensor& x = args.inputs[0];
  const std::vector<int64_t> size{args.node.shape[2], args.node.shape[3]};
  return resize.mode == ResizeMode::Nearest
             ? at::upsample_nearest2d(x, at::IntArrayRef(size))
             : at::upsample_bilinear2d(
                   x, at::IntArrayRef(size), resize.mode == ResizeMode::LinearCorners);
}

at::Tensor lower_Concat(const LoweringArgs& args) {
  return at::cat(args.inputs, args.node.as<graph::AxisAttributes>().axis);
}

}  // namespace coppice::train
