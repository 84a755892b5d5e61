#include "train/kernels/winograd.h"

#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include "train/lowering/winograd_convolution.h"

namespace coppice::train {

namespace {

at::Tensor random_values(at::IntArrayRef shape) {
  return at::rand(shape) * 2 - 1;
}

/// Of the largest value.
double relative_error(const at::Tensor& ours, const at::Tensor& exact) {
  return (ours.to(at::kDouble) - exact).abs().max().item<double>() /
         exact.abs().max().item<double>();
}

struct WithGradients {
  at::Tensor y;
  at::Tensor dx;
  at::Tensor dw;
};

template <class Convolve>
WithGradients with_gradients(const at::Tensor& x,
                             const at::Tensor& w,
                             const at::Tensor& dy,
                             Convolve convolve) {
  const at::Tensor in = x.detach().clone().requires_grad_();
  const at::Tensor weight = w.detach().clone().requires_grad_();
  const at::Tensor y = convolve(in, weight);
  y.backward(dy);
  return {y.detach(), in.grad(), weight.grad()};
}

class WinogradShapes : public ::testing::TestWithParam<Winograd> {};

TEST_P(WinogradShapes, GivesWhatTheSumGives) {
  const Winograd& op = GetParam();
  if (!op.pays()) {
    GTEST_SKIP() << "this machine has no AVX-512";
  }
  const at::Tensor x = random_values({op.samples, op.in, op.height, op.width});
  const at::Tensor w = random_values({op.out, op.in, 3, 3});
  const at::Tensor dy = random_values({op.samples, op.out, op.height, op.width});
  const WithGradients ours = with_gradients(x, w, dy, [](const at::Tensor& a, const at::Tensor& b) {
    EXPECT_TRUE(winograd_pays(a, b));
    return winograd_convolution(a, b);
  });
  const WithGradients exact = with_gradients(
      x.to(at::kDouble), w.to(at::kDouble), dy.to(at::kDouble), [](const auto& a, const auto& b) {
        return at::conv2d(a, b, /*bias=*/{}, /*stride=*/1, /*padding=*/1);
      });
  EXPECT_LT(relative_error(ours.y, exact.y), 2e-5);
  EXPECT_LT(relative_error(ours.dx, exact.dx), 2e-5);
  EXPECT_LT(relative_error(ours.dw, exact.dw), 2e-5);
}

INSTANTIATE_TEST_SUITE_P(Winograd,
                         WinogradShapes,
                         ::testing::Values(Winograd{3, 16, 16, 16, 16},   // a part of a block
                                           Winograd{5, 14, 14, 32, 48},   // tiles over the edge
                                           Winograd{9, 7, 8, 48, 16},     // an odd height
                                           Winograd{40, 8, 7, 64, 32},    // several blocks
                                           Winograd{1, 4, 32, 16, 64}));  // a single row of tiles

TEST(Winograd, AddsTheGradientOfTheOtherReadersOfItsInput) {
  const Winograd op{5, 14, 14, 16, 32};
  if (!op.pays()) {
    GTEST_SKIP() << "this machine has no AVX-512";
  }
  const at::Tensor x = random_values({op.samples, op.in, op.height, op.width});
  const at::Tensor w = random_values({op.out, op.in, 3, 3});
  const at::Tensor dy = random_values({op.samples, op.out, op.height, op.width});
  const at::Tensor of_others = random_values(x.sizes());
  const auto gradient = [&](bool of_result) {
    const at::Tensor in = x.detach().clone().requires_grad_();
    at::Tensor passed_on;
    const at::Tensor y = winograd_convolution(in, w, &passed_on);
    EXPECT_TRUE(passed_on.equal(x));
    at::Tensor loss = (passed_on * of_others).sum();
    loss = of_result ? loss + (y * dy).sum() : loss;
    loss.backward();
    return in.grad();
  };
  const at::Tensor exact = with_gradients(x, w, dy, [](const auto& a, const auto& b) {
                             return at::conv2d(a, b, /*bias=*/{}, /*stride=*/1, /*padding=*/1);
                           }).dx;
  EXPECT_LT(relative_error(gradient(true), (exact + of_others).to(at::kDouble)), 2e-5);
  EXPECT_TRUE(gradient(false).equal(of_others));
}

TEST(Winograd, IsRefusedWhereItDoesNotPay) {
  EXPECT_FALSE((Winograd{8, 16, 16, 3, 16}.pays())) << "channels that fill no vector";
  EXPECT_FALSE((Winograd{8, 5, 5, 16, 16}.pays())) << "mostly outside of the image";
  EXPECT_FALSE(winograd_pays(at::rand({1, 16, 8, 8}, at::kDouble), at::rand({16, 16, 3, 3})));
  EXPECT_FALSE(winograd_pays(at::rand({1, 16, 8, 8}), at::rand({16, 16, 5, 5})));
}

}  // namespace

}  // namespace coppice::train
