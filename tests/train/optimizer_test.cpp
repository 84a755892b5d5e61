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
  options.alpha = c.alpha;
  options.centered = c.centered;
  options.epsilon = c.epsilon;
  options.weight_decay = c.weight_decay;
  return options;
}

void step(Optimizer& optimizer, const Parameter& parameter, size_t i) {
  parameter.value.mutable_grad() = tensor_of(reference::kGradients[i]);
  optimizer.step(reference::kRates[i]);
}

class ReferenceTest : public ::testing::TestWithParam<reference::Case> {};

TEST_P(ReferenceTest, FollowsTorchStepByStep) {
  const Parameter parameter = start_parameter();
  const auto optimizer = make_optimizer({parameter}, options_of(GetParam()));
  for (size_t i = 0; i < reference::kRates.size(); ++i) {
    step(*optimizer, parameter, i);
    for (size_t k = 0; k < reference::kStart.size(); ++k) {
      ASSERT_NEAR(
          parameter.value[static_cast<int64_t>(k)].item<double>(), GetParam().path[i][k], 1e-6)
          << "step " << i << ", value " << k;
    }
  }
}

/// What a GPU computes with, here on doubles.
TEST_P(ReferenceTest, FollowsTorchWithTensorOperations) {
  const Parameter parameter = {
      "w", ParameterKind::Weight, tensor_of(reference::kStart).to(at::kDouble).requires_grad_()};
  const auto optimizer = make_optimizer({parameter}, options_of(GetParam()));
  for (size_t i = 0; i < reference::kRates.size(); ++i) {
    parameter.value.mutable_grad() = tensor_of(reference::kGradients[i]).to(at::kDouble);
    optimizer->step(reference::kRates[i]);
    for (size_t k = 0; k < reference::kStart.size(); ++k) {
      ASSERT_NEAR(
          parameter.value[static_cast<int64_t>(k)].item<double>(), GetParam().path[i][k], 1e-6)
          << "step " << i << ", value " << k;
    }
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
    parameter.value.mutable_grad() = tensor_of(reference::Values{});
    make_optimizer({parameter}, options)->step(0.1);
    EXPECT_TRUE(parameter.value.equal(start_parameter().value));
  }
}

TEST_P(ReferenceTest, DecaysThemWhenAsked) {
  recipe::OptimizerOptions options = options_of(GetParam());
  options.weight_decay = 0.5;
  options.decay_all = true;
  for (const auto kind :
       {ParameterKind::Bias, ParameterKind::NormScale, ParameterKind::NormShift}) {
    const Parameter parameter = start_parameter(kind);
    const Parameter weight = start_parameter();
    for (const Parameter& p : {parameter, weight}) {
      p.value.mutable_grad() = tensor_of(reference::Values{});
      make_optimizer({p}, options)->step(0.1);
    }
    EXPECT_FALSE(parameter.value.equal(start_parameter().value));
    EXPECT_TRUE(parameter.value.equal(weight.value));
  }
}

TEST_P(ReferenceTest, TakesAnotherMomentumFromTheNextStepOn) {
  recipe::OptimizerOptions options = options_of(GetParam());
  options.momentum = 0.5;
  options.beta1 = 0.5;
  const Parameter as_made = start_parameter();
  const Parameter changed = start_parameter();
  const auto first = make_optimizer({as_made}, options);
  const auto second = make_optimizer({changed}, options);
  step(*first, as_made, 0);
  step(*second, changed, 0);
  EXPECT_TRUE(as_made.value.equal(changed.value));
  second->set_momentum(0.9);
  step(*first, as_made, 1);
  step(*second, changed, 1);
  EXPECT_FALSE(as_made.value.equal(changed.value));
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

TEST(Rmsprop, AConstantGradientKeepsTheCentredStepFinite) {
  recipe::OptimizerOptions options;
  options.name = "rmsprop";
  options.centered = true;
  options.alpha = 0.5;
  const Parameter parameter = start_parameter();
  const auto optimizer = make_optimizer({parameter}, options);
  for (int i = 0; i < 100; ++i) {
    parameter.value.mutable_grad() = tensor_of(reference::Values{0.1, 0.3, -0.7, 1.1});
    optimizer->step(1e-12);
  }
  EXPECT_TRUE(parameter.value.isfinite().all().item<bool>());
}

}  // namespace

}  // namespace coppice::train
