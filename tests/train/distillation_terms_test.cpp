// Every distillation term against the papers' formulas (make_distillation_reference.py) and its
// gradient against central differences, in double.

#include <algorithm>
#include <cmath>
#include <functional>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/error.h"
#include "distillation_reference.h"
#include "train/distillation/distillation.h"
#include "train/distillation/hint_terms.h"
#include "train/distillation/logit_terms.h"

namespace coppice::train {

namespace {

constexpr double kTolerance = 1e-6;  ///< the formulas know no guards against division by 0

at::Tensor doubles(const std::vector<double>& values, std::vector<int64_t> shape) {
  at::Tensor tensor =
      at::zeros({static_cast<int64_t>(values.size())}, at::TensorOptions(at::kDouble));
  std::copy(values.begin(), values.end(), tensor.data_ptr<double>());
  return tensor.view(shape);
}

at::Tensor reference_labels() {
  at::Tensor labels = at::zeros({4}, at::TensorOptions(at::kLong));
  std::ranges::copy(reference::kLabels, labels.data_ptr<int64_t>());
  return labels;
}

struct TermCase {
  std::string name;
  std::string method;
  at::Tensor student;
  std::function<at::Tensor(const at::Tensor&)> loss;
  const reference::Expected& expected;
};

recipe::DistilOptions method_options(const std::string& method) {
  recipe::DistilOptions options;
  options.method = method;
  options.temperature = reference::kTemperature;
  return options;
}

/// The targets' term of a student's logits, by the class that training uses.
TermCase logit_case(std::string name,
                    const recipe::DistilOptions& options,
                    const reference::Expected& expected,
                    bool two_teachers = false) {
  return {std::move(name),
          options.method,
          doubles(reference::kLogits, {4, 5}),
          [=](const at::Tensor& logits) {
            std::vector<Answer> answers{{doubles(reference::kTeacherLogits, {4, 5}), {}}};
            if (two_teachers) {
              answers.push_back({doubles(reference::kSecondTeacherLogits, {4, 5}), {}});
            }
            const at::Tensor labels = reference_labels();
            const Activations none;
            const Mixing unmixed;
            return Distillation(options).target_loss({logits, none, labels, unmixed}, answers);
          },
          expected};
}

TermCase hint_case(std::string name,
                   const std::string& method,
                   const reference::Expected& expected,
                   const std::function<void(recipe::HintOptions&)>& change = {}) {
  recipe::HintOptions options;
  options.method = method;
  if (change) {
    change(options);
  }
  const bool small = name == "attention of another size";
  const bool regressed = method == "fitnets";
  return {std::move(name),
          method,
          regressed ? doubles(reference::kRegressed, {4, 5, 2, 3})
                    : doubles(reference::kNode, {4, 3, 2, 3}),
          [=](const at::Tensor& node) {
            const at::Tensor theirs = small ? doubles(reference::kSmallTeacherNode, {4, 5, 1, 3})
                                            : doubles(reference::kTeacherNode, {4, 5, 2, 3});
            return hint_methods().get(options.method).loss(node, theirs, options);
          },
          expected};
}

std::vector<TermCase> term_cases() {
  namespace ref = reference;
  std::vector<TermCase> cases;
  recipe::DistilOptions two = method_options("soft");
  two.teacher_weights = {3, 1};
  recipe::DistilOptions standard = method_options("soft");
  standard.standardise = true;
  recipe::DistilOptions others = method_options("dkd");
  others.dkd_alpha = 2;
  others.dkd_beta = 0.5;
  cases.push_back(logit_case("soft", method_options("soft"), ref::kSoft));
  cases.push_back(logit_case("soft of two teachers", two, ref::kSoftOfTwo, true));
  cases.push_back(logit_case("soft, standardised", standard, ref::kSoftStandardised));
  cases.push_back(logit_case("dkd", method_options("dkd"), ref::kDkd));
  cases.push_back(logit_case("dkd of other weights", others, ref::kDkdOtherWeights));
  cases.push_back(hint_case("fitnets", "fitnets", ref::kFitnets));
  cases.push_back(hint_case("attention", "attention", ref::kAttention));
  cases.push_back(
      hint_case("attention of fourth powers", "attention", ref::kAttentionPowerFour, [](auto& o) {
        o.power = 4;
      }));
  cases.push_back(hint_case("attention of another size", "attention", ref::kAttentionSmall));
  cases.push_back(hint_case("rkd", "rkd", ref::kRkd));
  cases.push_back(
      hint_case("rkd of distances", "rkd", ref::kRkdDistance, [](auto& o) { o.angle = 0; }));
  cases.push_back(hint_case("rkd of angles", "rkd", ref::kRkdAngle, [](auto& o) {
    o.distance = 0;
    o.angle = 1;
  }));
  cases.push_back(hint_case("similarity", "similarity", ref::kSimilarity));
  cases.push_back(hint_case("pkt", "pkt", ref::kPkt));
  return cases;
}

TEST(DistillationTerms, FollowThePapersFormulas) {
  for (const TermCase& c : term_cases()) {
    const at::Tensor student = c.student.clone().requires_grad_();
    const at::Tensor loss = c.loss(student);
    EXPECT_NEAR(loss.item<double>(), c.expected.loss, kTolerance * std::max(1.0, c.expected.loss))
        << c.name;
    loss.backward();
    const at::Tensor wanted = doubles(c.expected.gradient, c.student.sizes().vec());
    EXPECT_TRUE(student.grad().allclose(wanted, 1e-5, kTolerance))
        << c.name << ": " << (student.grad() - wanted).abs().max().item<double>();
  }
}

TEST(DistillationTerms, GradientsAreThoseOfCentralDifferences) {
  constexpr double kStep = 1e-5;
  for (const TermCase& c : term_cases()) {
    const at::Tensor student = c.student.clone().requires_grad_();
    c.loss(student).backward();
    const at::NoGradGuard no_grad;
    const at::Tensor moved = c.student.clone();
    auto* values = moved.data_ptr<double>();
    const at::Tensor gradient = student.grad().contiguous();
    for (int64_t i = 0; i < moved.numel(); ++i) {
      const double before = values[i];
      values[i] = before + kStep;
      const double up = c.loss(moved).item<double>();
      values[i] = before - kStep;
      const double down = c.loss(moved).item<double>();
      values[i] = before;
      EXPECT_NEAR(gradient.data_ptr<double>()[i], (up - down) / (2 * kStep), 1e-6) << c.name;
    }
  }
}

TEST(DistillationTerms, EveryMethodIsAnOptionAndHasItsReference) {
  std::vector<std::string> covered;
  for (const TermCase& c : term_cases()) {
    covered.push_back(c.method);
  }
  for (const std::string& name : logit_methods().names()) {
    EXPECT_THAT(covered, ::testing::Contains(name));
    EXPECT_NO_THROW(core::read_options<recipe::DistilOptions>(
        core::parse_config_text("method: " + name, "distil.yaml")));
  }
  for (const std::string& name : hint_methods().names()) {
    EXPECT_THAT(covered, ::testing::Contains(name));
    EXPECT_NO_THROW(core::read_options<recipe::HintOptions>(
        core::parse_config_text("{teacher: a, student: b, method: " + name + "}", "distil.yaml")));
  }
}

TEST(DistillationTerms, AgreementCostsNothing) {
  const at::Tensor node = doubles(reference::kNode, {4, 3, 2, 3});
  for (const std::string& name : hint_methods().names()) {
    EXPECT_NEAR(hint_methods().get(name).loss(node, node, {}).item<double>(), 0, 1e-12) << name;
  }
  const at::Tensor logits = log_probabilities(doubles(reference::kLogits, {4, 5}), {});
  for (const std::string& name : logit_methods().names()) {
    EXPECT_NEAR(
        logit_methods().get(name).loss(logits, logits, reference_labels(), {}).item<double>(),
        0,
        1e-12)
        << name;
  }
}

TEST(DistillationTerms, RelationsAreBlindToWhatTheirPapersLeaveOut) {
  const at::Tensor node = doubles(reference::kNode, {4, 3, 2, 3});
  const auto loss = [&](const std::string& name, const at::Tensor& student) {
    return hint_methods().get(name).loss(student, node, {}).item<double>();
  };
  EXPECT_NEAR(loss("rkd", node * 3 + 5), 0, 1e-12);
  EXPECT_NEAR(loss("similarity", node * 3), 0, 1e-12);
  EXPECT_NEAR(loss("pkt", node * 3), 0, 1e-12);
  EXPECT_NEAR(loss("attention", node * -3), 0, 1e-12);
  EXPECT_GT(loss("similarity", node + 5), 1e-3);
  EXPECT_GT(loss("fitnets", node * 3), 1);
}

TEST(DistillationTerms, SamplesWithoutAnythingToCompareGiveFiniteGradients) {
  const at::Tensor theirs = doubles(reference::kNode, {4, 3, 2, 3});
  for (const std::string& name : hint_methods().names()) {
    // Two dead samples, which are also each other's duplicate.
    at::Tensor student = theirs.clone();
    student.narrow(0, 1, 2).zero_();
    student = student.to(at::kFloat).requires_grad_();
    hint_methods().get(name).loss(student, theirs.to(at::kFloat), {}).backward();
    EXPECT_LT(student.grad().abs().max().item<double>(), 10) << name;
    EXPECT_TRUE(student.grad().isfinite().all().item<bool>()) << name;
    const at::Tensor one = theirs.narrow(0, 0, 1).clone().requires_grad_();
    const at::Tensor of_one = hint_methods().get(name).loss(one, theirs.narrow(0, 0, 1), {});
    EXPECT_NEAR(of_one.item<double>(), 0, 1e-12) << name;
    of_one.backward();
    EXPECT_TRUE(one.grad().isfinite().all().item<bool>()) << name;
  }
  recipe::DistilOptions options;
  options.standardise = true;
  const at::Tensor flat = at::ones({4, 5}, at::TensorOptions(at::kFloat)).requires_grad_();
  const at::Tensor said = log_probabilities(flat, options);
  soft_targets(said,
               log_probabilities(doubles(reference::kLogits, {4, 5}).to(at::kFloat), options),
               reference_labels(),
               options)
      .backward();
  EXPECT_TRUE(flat.grad().isfinite().all().item<bool>());
}

TEST(DistillationTerms, SureTeachersDoNotOverflowDecoupling) {
  const at::Tensor sure = doubles(reference::kLogits, {4, 5}).to(at::kFloat) * 1000;
  const at::Tensor student =
      doubles(reference::kTeacherLogits, {4, 5}).to(at::kFloat).requires_grad_();
  recipe::DistilOptions options;
  options.temperature = 1;
  const at::Tensor loss = decoupled(log_probabilities(student, options),
                                    log_probabilities(sure, options),
                                    reference_labels(),
                                    options);
  EXPECT_TRUE(std::isfinite(loss.item<double>()));
  loss.backward();
  EXPECT_TRUE(student.grad().isfinite().all().item<bool>());
}

}  // namespace

}  // namespace coppice::train
