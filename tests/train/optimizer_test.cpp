#include "train/optimizer.h"

#include <cmath>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/tensor.h"
#include "optimizer_reference.h"
#include "train/tensor_bridge.h"

namespace coppice::train {

namespace {

template <class Values>
at::Tensor tensor_of(const Values& values) {
  graph::Tensor tensor(graph::DType::F32, {static_cast<int64_t>(values.size())});
  std::ranges::transform(
      values, tensor.data<float>().begin(), [](double v) { return static_cast<float>(v); });
  return to_aten(tensor);
}

Parameter start_parameter(ParameterKind kind = ParameterKind::Weight) {
  return {"w", kind, tensor_of(reference::kStart).requires_grad_()};
}

recipe::OptimizerOptions options_of(const reference::Case& c) {
  recipe::OptimizerOptions options;
  options.name = c.optimizer;
  options.momentum = c.momentum;
  options.nesterov = c.nesterov;
  options.beta1 = c.beta1;
  options.beta2 = c.beta2;
  options.epsilon = c.epsilon;
  options.weight_decay = c.weight_decay;
  return options;
}

void step(Optimizer& optimizer, const Parameter& parameter, size_t i) {
  parameter.value.mutable_grad() = tensor_of(reference::kGradients[i]);
  optimizer.step(reference::kRates[i]);
}

class ReferenceTest : public ::testing::TestWithParam<reference::Case> {};

TEST_P(ReferenceTest, EndsWhereTorchDoes) {
  const Parameter parameter = start_parameter();
  const auto optimizer = make_optimizer({parameter}, options_of(GetParam()));
  for (size_t i = 0; i < reference::kRates.size(); ++i) {
    step(*optimizer, parameter, i);
  }
  for (size_t i = 0; i < reference::kStart.size(); ++i) {
    EXPECT_NEAR(parameter.value[static_cast<int64_t>(i)].item<double>(), GetParam().end[i], 1e-6)
        << i;
  }
}

TEST_P(ReferenceTest, GoesOnFromARestoredState) {
  const Parameter whole = start_parameter();
  const auto uninterrupted = make_optimizer({whole}, options_of(GetParam()));
  const Parameter parts = start_parameter();
  auto optimizer = make_optimizer({parts}, options_of(GetParam()));
  for (size_t i = 0; i < reference::kRates.size(); ++i) {
    step(*uninterrupted, whole, i);
    step(*optimizer, parts, i);
    auto next = make_optimizer({parts}, options_of(GetParam()));
    next->restore(optimizer->state());
    optimizer = std::move(next);
  }
  EXPECT_TRUE(whole.value.equal(parts.value));
}

TEST_P(ReferenceTest, DecaysNeitherBiasesNorBatchNorm) {
  recipe::OptimizerOptions options = options_of(GetParam());
  options.weight_decay = 0.5;
  for (const auto kind :
       {ParameterKind::Bias, ParameterKind::NormScale, ParameterKind::NormShift}) {
    const Parameter parameter = start_parameter(kind);
    parameter.value.mutable_grad() = tensor_of(std::array<double, 6>{});
    make_optimizer({parameter}, options)->step(0.1);
    EXPECT_TRUE(parameter.value.equal(start_parameter().value));
  }
}

TEST_P(ReferenceTest, RefusesTheStateOfOtherParameters) {
  const auto optimizer = make_optimizer({start_parameter()}, options_of(GetParam()));
  OptimizerState state = optimizer->state();
  EXPECT_NO_THROW(optimizer->restore(state));
  state.tensors.begin()->second = at::empty({2});
  EXPECT_THROW(optimizer->restore(state), core::Error);
  EXPECT_THROW(optimizer->restore({}), core::Error);
}

INSTANTIATE_TEST_SUITE_P(Torch,
                         ReferenceTest,
                         ::testing::ValuesIn(reference::kCases),
                         [](const auto& c) { return std::string(c.param.name); });

TEST(Optimizers, EveryRegisteredOneIsCompared) {
  for (const std::string& name : optimizers().names()) {
    EXPECT_TRUE(std::ranges::any_of(reference::kCases, [&](const auto& c) {
      return c.optimizer == name;
    })) << name;
  }
}

TEST(ClipGradients, ScalesTheJointNormDownOnly) {
  const Parameter a{
      "a", ParameterKind::Weight, tensor_of(std::vector<double>{1, 1}).requires_grad_()};
  const Parameter b{"b", ParameterKind::Bias, tensor_of(std::vector<double>{1}).requires_grad_()};
  a.value.mutable_grad() = tensor_of(std::vector<double>{3, 0});
  b.value.mutable_grad() = tensor_of(std::vector<double>{-4});
  EXPECT_DOUBLE_EQ(clip_gradients({a, b}, 10), 5);
  EXPECT_EQ(a.value.grad()[0].item<float>(), 3);
  EXPECT_DOUBLE_EQ(clip_gradients({a, b}, 1), 5);
  EXPECT_NEAR(a.value.grad()[0].item<float>(), 0.6, 1e-6);
  EXPECT_NEAR(b.value.grad()[0].item<float>(), -0.8, 1e-6);
}

}  // namespace

}  // namespace coppice::train
