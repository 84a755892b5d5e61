#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/softmax.h>

#include "core/error.h"
#include "train/lowering/lowering.h"

namespace coppice::train {

at::Tensor lower_Input(const LoweringArgs& args) {
  COPPICE_CHECK(false, "input '" + args.node.name + "' is fed, not computed");
}

at::Tensor lower_Cast(const LoweringArgs& args) {
  switch (args.node.as<graph::CastAttributes>().to) {
    case graph::DType::F32:
      return args.inputs[0].to(args.real);
    case graph::DType::U8:
      return args.inputs[0].to(at::kByte);
    case graph::DType::I8:
      return args.inputs[0].to(at::kChar);
    case graph::DType::I32:
      return args.inputs[0].to(at::kInt);
    case graph::DType::I64:
      return args.inputs[0].to(at::kLong);
  }
  COPPICE_CHECK(false, "dtype out of range");
}

at::Tensor lower_Add(const LoweringArgs& args) {
  return args.inputs[0].add(args.inputs[1]);
}

at::Tensor lower_Sub(const LoweringArgs& args) {
  return args.inputs[0].sub(args.inputs[1]);
}

at::Tensor lower_Mul(const LoweringArgs& args) {
  return args.inputs[0].mul(args.inputs[1]);
}

at::Tensor lower_Div(const LoweringArgs& args) {
  return args.inputs[0].div(args.inputs[1]);
}

at::Tensor lower_Relu(const LoweringArgs& args) {
  // Autograd needs only the result, so the input's memory can be reused.
  return args.may_overwrite ? args.inputs[0].relu_() : args.inputs[0].relu();
}

at::Tensor lower_Softmax(const LoweringArgs& args) {
  return args.inputs[0].softmax(args.node.as<graph::AxisAttributes>().axis);
}

at::Tensor lower_Dropout(const LoweringArgs& args) {
  const double rate = args.node.as<graph::DropoutAttributes>().rate;
  if (!args.training || rate <= 0) {
    return args.inputs[0];
  }
  if (rate >= 1) {
    return args.inputs[0] * 0;
  }
  at::Generator generator = at::detail::createCPUGenerator(args.dropout_seed);
  const at::Tensor mask = at::empty_like(args.inputs[0]).bernoulli_(1 - rate, generator);
  return args.inputs[0] * mask.div_(1 - rate);
}

}  // namespace coppice::train
