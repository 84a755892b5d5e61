#include <ATen/core/Tensor.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/layer_norm.h>

#include "train/lowering/batch_norm.h"
#include "train/lowering/lowering.h"
#include "train/lowering/norm_chain.h"

namespace coppice::train {

at::Tensor lower_BatchNorm(const LoweringArgs& args) {
  if (args.inputs[0].dim() == 4 && args.inputs[0].is_cpu()) {
    return lower_norm_chain(args, {});
  }
  return at::batch_norm(args.inputs[0],
                        args.inputs[1],
                        args.inputs[2],
                        args.inputs[3],
                        args.inputs[4],
                        args.training,
                        kBatchNormMomentum,
                        args.node.as<graph::BatchNormAttributes>().epsilon,
                        /*cudnn_enabled=*/true);
}

at::Tensor lower_LayerNorm(const LoweringArgs& args) {
  return at::layer_norm(args.inputs[0],
                        args.inputs[1].sizes(),
                        args.inputs[1],
                        args.inputs[2],
                        args.node.as<graph::LayerNormAttributes>().epsilon);
}

}  // namespace coppice::train
