#include "train/qat/fake_quantise.h"

#include <cmath>
#include <span>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "fake_quantise_reference.h"
#include "train/tensor_bridge.h"

namespace coppice::train {

namespace {

at::Tensor tensor_of(std::span<const float> values, const graph::Shape& shape) {
  return to_aten(graph::Tensor::from<float>(shape, values)).clone();
}

void expect_values(const at::Tensor& given, std::span<const float> expected, double tolerance) {
  const at::Tensor flat = given.detach().contiguous().reshape({-1});
  ASSERT_EQ(flat.numel(), std::ssize(expected));
  for (int64_t i = 0; i < flat.numel(); ++i) {
    const auto wanted = static_cast<double>(expected[static_cast<size_t>(i)]);
    EXPECT_NEAR(flat[i].item<double>(), wanted, tolerance * std::max(1.0, std::abs(wanted))) << i;
  }
}

TEST(FakeQuantise, OfWeightsIsPyTorchs) {
  const at::Tensor w = tensor_of(reference::kWeight, {3, 8}).requires_grad_();
  const at::Tensor scale = tensor_of(reference::kWeightScale, {3}).requires_grad_();
  const at::Tensor y =
      fake_quantise(w, scale, {.low = -127, .high = 127, .scale_gradient = lsq_gradient(8, 127)});
  expect_values(y, reference::kWeightRounded, 1e-6);
  y.backward(tensor_of(reference::kWeightUpstream, {3, 8}));
  expect_values(w.grad(), reference::kWeightGradient, 0);
  expect_values(w.grad(), reference::kLearnedWeightGradient, 0);
  expect_values(scale.grad(), reference::kWeightScaleGradient, 1e-4);
}

TEST(FakeQuantise, OfActivationsIsPyTorchs) {
  const at::Tensor x = tensor_of(reference::kActivation, {24}).requires_grad_();
  const at::Tensor step = tensor_of(reference::kActivationStep, {1}).requires_grad_();
  const at::Tensor y =
      fake_quantise(x, step, {.low = 0, .high = 255, .scale_gradient = lsq_gradient(24, 255)});
  expect_values(y, reference::kActivationRounded, 1e-6);
  y.backward(tensor_of(reference::kActivationUpstream, {24}));
  expect_values(x.grad(), reference::kActivationGradient, 0);
  expect_values(step.grad(), reference::kStepGradient, 1e-4);
}

/// By ATen's operations in double, the way that other devices compute it.
at::Tensor plainly(const at::Tensor& x, const at::Tensor& scale, double low, double high) {
  return (x / scale).round().clamp(low, high) * scale;
}

TEST(FakeQuantise, RoundsTiesToEvenInAnyLayoutAndLength) {
  std::vector<float> halves;
  for (int i = -300; i <= 300; ++i) {
    halves.push_back(static_cast<float>(i) / 2);
  }
  const at::Tensor one = tensor_of(std::vector<float>{1}, {});
  const at::Tensor x = tensor_of(halves, {std::ssize(halves)});
  EXPECT_TRUE(
      at::equal(fake_quantise(x, one, {.low = -128, .high = 127}), plainly(x, one, -128, 127)));
  EXPECT_TRUE(at::equal(fake_quantise(x, one, {.low = 0, .high = 255}), plainly(x, one, 0, 255)));
  const at::Tensor scale = tensor_of(std::vector<float>{0.013F}, {});
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const at::Tensor image = at::randn({3, 5, 7, 4}, at::TensorOptions(type));
    for (const at::Tensor& layout : {image,
                                     image.contiguous(at::MemoryFormat::ChannelsLast),
                                     image.transpose(1, 3),
                                     image.slice(2, 0, 6, 2)}) {
      EXPECT_TRUE(at::equal(fake_quantise(layout, scale.to(type), {.low = -128, .high = 127}),
                            plainly(layout, scale.to(type), -128, 127)));
    }
  }
}

TEST(FakeQuantise, GradientsDoNotDependOnThreadsOrLayout) {
  const at::Tensor values = at::randn({4, 8, 33, 17}, at::TensorOptions(at::kFloat));
  const at::Tensor upstream = at::randn({4, 8, 33, 17}, at::TensorOptions(at::kFloat));
  const auto gradients = [&](int threads, bool channels_last) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    at::Tensor x = values.clone();
    if (channels_last) {
      x = x.contiguous(at::MemoryFormat::ChannelsLast);
    }
    x.requires_grad_();
    const at::Tensor scale = tensor_of(std::vector<float>{0.01F}, {}).requires_grad_();
    fake_quantise(x, scale, {.low = 0, .high = 255, .scale_gradient = 0.1}).backward(upstream);
    at::set_num_threads(before);
    return std::pair{x.grad(), scale.grad().item<double>()};
  };
  const auto [dx, ds] = gradients(1, false);
  const auto [dx2, ds2] = gradients(2, false);
  EXPECT_TRUE(at::equal(dx, dx2));
  EXPECT_EQ(ds, ds2);
  const auto [dx3, ds3] = gradients(1, true);
  EXPECT_TRUE(at::equal(dx, dx3));
  EXPECT_NEAR(ds, ds3, 1e-4 * std::abs(ds));
}

TEST(FakeQuantise, WhatIsNoNumberStaysNoNumber) {
  const at::Tensor x = tensor_of(std::vector<float>{std::nanf(""), 1}, {2});
  const at::Tensor one = tensor_of(std::vector<float>{1}, {});
  const at::Tensor y = fake_quantise(x, one, {});
  EXPECT_TRUE(std::isnan(y[0].item<double>()));
  EXPECT_EQ(y[1].item<double>(), 1);
}

}  // namespace

}  // namespace coppice::train
