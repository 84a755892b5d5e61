#include "train/loss.h"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "graph/tensor.h"
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

TEST(SoftTargetLoss, IsTemperatureSquaredTimesTheDivergence) {
  const double t = 4;
  const auto student = softmax({1, 2, 3}, t);
  const auto teacher = softmax({3, -1, 0}, t);
  double divergence = 0;
  for (size_t i = 0; i < 3; ++i) {
    divergence += teacher[i] * std::log(teacher[i] / student[i]);
  }
  EXPECT_NEAR(soft_target_loss(matrix({1, 2, 3}), matrix({3, -1, 0}), t).item<double>(),
              t * t * divergence,
              1e-6);
}

TEST(SoftTargetLoss, IsZeroWhereStudentAndTeacherAgreeAndPullsTheStudentOnly) {
  const at::Tensor student = matrix({1, 2, 3}).requires_grad_();
  const at::Tensor teacher = matrix({1, 2, 3}).requires_grad_();
  EXPECT_NEAR(soft_target_loss(student, teacher, 2).item<double>(), 0, 1e-6);
  soft_target_loss(student, matrix({3, 2, 1}).requires_grad_(), 2).backward();
  EXPECT_GT(student.grad()[0][2].item<float>(), 0.1F);
  soft_target_loss(student, teacher, 2).backward();
  EXPECT_FALSE(teacher.grad().defined());
}

TEST(DistillationLoss, WeighsLabelsAndTeacherByAlpha) {
  const at::Tensor student = matrix({1, 2, 3});
  const at::Tensor teacher = matrix({3, -1, 0});
  const double hard = cross_entropy(student, labels({0}), 0).item<double>();
  const double soft = soft_target_loss(student, teacher, 4).item<double>();
  recipe::DistilOptions options;
  options.alpha = 0.25;
  ASSERT_GT(std::abs(soft - hard), 0.1);
  EXPECT_NEAR(distillation_loss(student, teacher, labels({0}), 0, options).item<double>(),
              0.75 * hard + 0.25 * soft,
              1e-5);
}

}  // namespace

}  // namespace coppice::train
