#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
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
  return args.inputs[0].slice(slice.axis, slice.start, slice.end);
}

at::Tensor lower_Resize(const LoweringArgs& args) {
  const graph::Shape& scale = args.node.as<graph::ResizeAttributes>().scale;
  const at::Tensor& x = args.inputs[0];
  return at::upsample_nearest2d(x, {x.size(2) * scale[0], x.size(3) * scale[1]});
}

at::Tensor lower_Concat(const LoweringArgs& args) {
  return at::cat(args.inputs, args.node.as<graph::AxisAttributes>().axis);
}

}  // namespace coppice::train
