#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include "train/lowering/lowering.h"
#include "train/lowering/positions.h"

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

/// Values along a dimension from these places of it.
at::Tensor gathered(const at::Tensor& x, int64_t axis, const std::vector<int64_t>& positions) {
  return x.index_select(axis, at::tensor(at::IntArrayRef(positions), at::kLong).to(x.device()));
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
      x = gathered(x, axis, padded_positions(mode, x.size(axis), pads[d], pads[rank + d]));
    }
  }
  return x;
}

at::Tensor lower_Resize(const LoweringArgs& args) {
  using graph::ResizeMode;
  const auto& resize = args.node.as<graph::ResizeAttributes>();
  const at::Tensor& x = args.inputs[0];
  const std::vector<int64_t> size{args.node.shape[2], args.node.shape[3]};
  if (resize.mode != ResizeMode::Nearest) {
    return at::upsample_bilinear2d(
        x, at::IntArrayRef(size), resize.mode == ResizeMode::LinearCorners);
  }
  if (aten_resizes_exactly(x.size(2), size[0]) && aten_resizes_exactly(x.size(3), size[1])) {
    return at::upsample_nearest2d(x, at::IntArrayRef(size));
  }
  const at::Tensor rows = gathered(x, 2, nearest_positions(x.size(2), size[0]));
  return gathered(rows, 3, nearest_positions(x.size(3), size[1]));
}

at::Tensor lower_Concat(const LoweringArgs& args) {
  return at::cat(args.inputs, args.node.as<graph::AxisAttributes>().axis);
}

}  // namespace coppice::train
