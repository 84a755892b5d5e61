#include <algorithm>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/where.h>

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

at::Tensor lower_LeakyRelu(const LoweringArgs& args) {
  return at::leaky_relu(args.inputs[0], args.node.as<graph::LeakyReluAttributes>().slope);
}

at::Tensor lower_PRelu(const LoweringArgs& args) {
  const at::Tensor& x = args.inputs[0];
  return at::where(x < 0, x * args.inputs[1], x);
}

at::Tensor lower_Clip(const LoweringArgs& args) {
  const auto& [low, high] = args.node.as<graph::ClipAttributes>();
  return args.inputs[0].clamp(low, high);
}

at::Tensor lower_Sigmoid(const LoweringArgs& args) {
  return args.inputs[0].sigmoid();
}

at::Tensor lower_Tanh(const LoweringArgs& args) {
  return args.inputs[0].tanh();
}

at::Tensor lower_HardSwish(const LoweringArgs& args) {
  return at::hardswish(args.inputs[0]);
}

at::Tensor lower_Erf(const LoweringArgs& args) {
  return args.inputs[0].erf();
}

at::Tensor lower_Softmax(const LoweringArgs& args) {
  return args.inputs[0].softmax(args.node.as<graph::AxisAttributes>().axis);
}

}  // namespace coppice::train
