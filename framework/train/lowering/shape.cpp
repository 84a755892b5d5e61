#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include "train/lowering/lowering.h"

namespace coppice::train {

at::Tensor lower_Flatten(const LoweringArgs& args) {
  return args.inputs[0].flatten(1);
}

at::Tensor lower_Concat(const LoweringArgs& args) {
  return at::cat(args.inputs, args.node.as<graph::AxisAttributes>().axis);
}

}  // namespace coppice::train
