#include "train/loss.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "graph/tensor.h"
#include "train/distillation/distillation.h"
#include "train/tensor_bridge.h"

namespace coppice::train {

namespace {

at::Tensor matrix(const std::vector<float>& values) {
  return to_aten(graph::Tensor::from<float>({static_cast<int64_t>(values.size() / 3), 3}, values));
}

at::Tensor labels(const std::vector<int64_t>& values) {
  return to_aten(graph::Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values));
}

std::vector<double> softmax(const std::vector<double>& logits, double temperature) {
  std::vector<double> result;
  double sum = 0;
  for (const double l : logits) {
    result.push_back(std::exp(l / temperature));
    sum += result.back();
  }
  for (double& p : result) {
    p /= sum;
  }
  return result;
}

TEST(CrossEntropy, IsTheMeanNegativeLogLikelihood) {
  const double first = -std::log(softmax({1, 2, 3}, 1)[2]);
  const double second = -std::log(softmax({0, 0, 5}, 1)[0]);
  EXPECT_NEAR(cross_entropy(matrix({1, 2, 3, 0, 0, 5}), labels({2, 0}), 0).item<double>(),
              (first + second) / 2,
              1e-6);
}

TEST(CrossEntropy, SmoothingSpreadsTheTargetOverAllClasses) {
  const auto p = softmax({1, 2, 3}, 1);
  const double expected = -(0.1 * std::log(p[0]) + 0.1 * std::log(p[1]) + 0.8 * std::log(p[2]));
  EXPECT_NEAR(cross_entropy(matrix({1, 2, 3}), labels({2}), 0.3).item<double>(), expected, 1e-6);
}

/// Of one sample, by the way that training takes.
at::Tensor soft_loss(const at::Tensor& student, const at::Tensor& teacher, double temperature) {
  recipe::DistilOptions options;
  options.temperature = temperature;
  const Activations none;
  const Mixing unmixed;
  const at::Tensor any = labels({0});
  return Distillation(options).target_loss({student, none, any, unmixed}, {{teacher, {}}});
}

TEST(SoftTargetLoss, IsTemperatureSquaredTimesTheDivergence) {
  const double t = 4;
  const auto student = softmax({1, 2, 3}, t);
  const auto teacher = softmax({3, -1, 0}, t);
  double divergence = 0;
  for (size_t i = 0; i < 3; ++i) {
    divergence += teacher[i] * std::log(teacher[i] / student[i]);
  }
  EXPECT_NEAR(
      soft_loss(matrix({1, 2, 3}), matrix({3, -1, 0}), t).item<double>(), t * t * divergence, 1e-6);
}

TEST(SoftTargetLoss, IsZeroWhereStudentAndTeacherAgreeAndPullsTheStudentOnly) {
  const at::Tensor student = matrix({1, 2, 3}).requires_grad_();
  const at::Tensor teacher = matrix({1, 2, 3}).requires_grad_();
  EXPECT_NEAR(soft_loss(student, teacher, 2).item<double>(), 0, 1e-6);
  soft_loss(student, matrix({3, 2, 1}).requires_grad_(), 2).backward();
  EXPECT_GT(student.grad()[0][2].item<float>(), 0.1F);
  soft_loss(student, teacher, 2).backward();
  EXPECT_FALSE(teacher.grad().defined());
}

}  // namespace

}  // namespace coppice::train
