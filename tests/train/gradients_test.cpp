#include "train/gradients.h"

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "graph/tensor.h"
#include "train/parameter.h"
#include "train/tensor_bridge.h"

namespace coppice::train {

namespace {

Parameter parameter_with_gradient(const std::vector<float>& gradient) {
  const auto size = static_cast<int64_t>(gradient.size());
  Parameter p{"p", ParameterKind::Weight, to_aten(graph::Tensor(graph::DType::F32, {size}))};
  p.value.requires_grad_();
  p.value.mutable_grad() = to_aten(graph::Tensor::from<float>({size}, gradient)).clone();
  return p;
}

TEST(Gradients, AreThoseOfTheParametersThatHaveOne) {
  const Parameter a = parameter_with_gradient({3, 0});
  Parameter without = parameter_with_gradient({1});
  without.value.mutable_grad().reset();
  const Parameter b = parameter_with_gradient({-4});
  const Gradients gradients = gradients_of({a, without, b});
  ASSERT_EQ(gradients.size(), 2);
  EXPECT_DOUBLE_EQ(norm_of(gradients), 5);
  gradients[1].fill_(0);
  EXPECT_EQ(b.value.grad()[0].item<float>(), 0);
}

TEST(Gradients, ClippingByNormScalesTheJointNormDownOnly) {
  const Parameter a = parameter_with_gradient({3, 0});
  const Parameter b = parameter_with_gradient({-4});
  EXPECT_DOUBLE_EQ(clip_by_norm(gradients_of({a, b}), 10), 5);
  EXPECT_EQ(a.value.grad()[0].item<float>(), 3);
  EXPECT_DOUBLE_EQ(clip_by_norm(gradients_of({a, b}), 1), 5);
  EXPECT_NEAR(a.value.grad()[0].item<float>(), 0.6, 1e-6);
  EXPECT_NEAR(b.value.grad()[0].item<float>(), -0.8, 1e-6);
}

TEST(Gradients, ClippingByValueBoundsEachElement) {
  const Parameter a = parameter_with_gradient({3, 0.25F, -7});
  clip_by_value(gradients_of({a}), 0.5);
  EXPECT_EQ(a.value.grad()[0].item<float>(), 0.5F);
  EXPECT_EQ(a.value.grad()[1].item<float>(), 0.25F);
  EXPECT_EQ(a.value.grad()[2].item<float>(), -0.5F);
}

}  // namespace

}  // namespace coppice::train
