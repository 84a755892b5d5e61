#include "monitor/paired_tests.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/rng.h"
#include "metric_reference.h"

namespace coppice::monitor {
namespace {

void expect_relative(double value, double wanted, double tolerance) {
  EXPECT_NEAR(value, wanted, tolerance * std::max(std::abs(wanted), 1e-30));
}

TEST(PairedTests, AgreeWithScipy) {
  for (const auto& one : reference::kPaired) {
    SCOPED_TRACE(one.first.size());
    const PairedTests tests = paired_tests(one.first, one.second);
    EXPECT_EQ(tests.pairs, static_cast<int64_t>(one.first.size()));
    expect_relative(tests.t, one.t, 1e-9);
    expect_relative(tests.t_p, one.t_p, 1e-9);
    expect_relative(tests.low, one.low, 1e-8);
    expect_relative(tests.high, one.high, 1e-8);
    expect_relative(tests.effect, one.effect, 1e-9);
    expect_relative(tests.wilcoxon_p, one.signed_rank_p, 1e-9);
  }
}

TEST(PairedTests, AreSymmetric) {
  const auto& one = reference::kPaired[3];
  const PairedTests forth = paired_tests(one.first, one.second);
  const PairedTests back = paired_tests(one.second, one.first);
  EXPECT_DOUBLE_EQ(forth.mean_difference, -back.mean_difference);
  EXPECT_DOUBLE_EQ(forth.low, -back.high);
  EXPECT_DOUBLE_EQ(forth.t_p, back.t_p);
  EXPECT_DOUBLE_EQ(forth.wilcoxon_p, back.wilcoxon_p);
}

TEST(PairedTests, DifferencesThatAreAllTheSame) {
  const std::vector<double> first{0.1, 0.2, 0.7};
  const PairedTests none = paired_tests(first, first);
  EXPECT_EQ(none.t_p, 1);
  EXPECT_EQ(none.wilcoxon_p, 1);
  EXPECT_EQ(none.effect, 0);
  // 0.3 - 0.2 and 0.8 - 0.7 are not the same double.
  const PairedTests shifted = paired_tests(first, std::vector<double>{0.2, 0.3, 0.8});
  EXPECT_EQ(shifted.t_p, 0);
  EXPECT_TRUE(std::isinf(shifted.effect));
  EXPECT_EQ(shifted.wilcoxon_p, 0.25) << "three pairs give no less";
  EXPECT_NEAR(shifted.low, 0.1, 1e-12);
}

TEST(SignedRank, IsExactForFewPairs) {
  EXPECT_DOUBLE_EQ(signed_rank_p(std::vector<double>{1, 2, 3, 4, 5}), 0.0625);
  EXPECT_DOUBLE_EQ(signed_rank_p(std::vector<double>{1, 2, 3, 4, 5, 0, 0}), 0.0625) << "no zeros";
  EXPECT_DOUBLE_EQ(signed_rank_p(std::vector<double>{-1, 2, 3, 4, 5}), 0.125);
  EXPECT_EQ(signed_rank_p(std::vector<double>{1, -1}), 1);
  EXPECT_EQ(signed_rank_p({}), 1);
  // 0.3 - 0.2 and 0.2 - 0.1 tie, though not as doubles: four equal sizes, three of them positive.
  EXPECT_DOUBLE_EQ(signed_rank_p(std::vector<double>{0.3 - 0.2, 0.2 - 0.1, 0.7 - 0.6, -0.1}),
                   2 * 5.0 / 16);
}

TEST(SignedRank, TheApproximationMeetsTheExactValue) {
  core::Rng rng(5);
  std::vector<double> differences;
  while (differences.size() < 50) {
    differences.push_back(rng.uniform(-1, 1.4));
  }
  const double exact = signed_rank_p(differences);
  differences.push_back(1e-9);  // the 51st turns it into the approximation, with hardly any weight
  EXPECT_NEAR(signed_rank_p(differences), exact, 0.1 * exact);
}

TEST(PairedTests, EqualWaysAreRejectedAtTheirLevel) {
  core::Rng rng(11);
  int t_rejects = 0;
  int rank_rejects = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> first;
    std::vector<double> second;
    for (int i = 0; i < 10; ++i) {
      const double shared = rng.normal();
      first.push_back(shared + rng.normal());
      second.push_back(shared + rng.normal());
    }
    const PairedTests tests = paired_tests(first, second);
    t_rejects += tests.t_p < 0.05 ? 1 : 0;
    rank_rejects += tests.wilcoxon_p < 0.05 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(t_rejects) / kTrials, 0.05, 0.015);
  EXPECT_NEAR(static_cast<double>(rank_rejects) / kTrials, 0.0488, 0.015);
}

TEST(StudentT, AgreesWithScipy) {
  for (const auto& [t, freedom, p] : reference::kTails) {
    expect_relative(student_t_p(t, freedom), p, 1e-10);
    if (t != 0) {
      expect_relative(student_t_critical(p, freedom), std::abs(t), 1e-8);
    }
  }
  EXPECT_EQ(student_t_p(std::numeric_limits<double>::infinity(), 3), 0);
}

TEST(Holm, AdjustsStepByStep) {
  const auto adjusted = holm(std::vector<double>{0.01, 0.04, 0.03, 0.005});
  // Sorted: 4 x 0.005, 3 x 0.01, 2 x 0.03, and 0.04, which may not fall below its forerunner.
  const std::vector<double> wanted{0.03, 0.06, 0.06, 0.02};
  for (size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_DOUBLE_EQ(adjusted[i], wanted[i]) << i;
  }
  EXPECT_EQ(holm(std::vector<double>{0.6, 0.7}), (std::vector<double>{1, 1}));
  EXPECT_TRUE(holm({}).empty());
}

TEST(PairedTests, RefuseWhatHasNoMeaning) {
  const std::vector<double> one{1};
  const std::vector<double> two{1, 2};
  EXPECT_THROW(paired_tests(one, one), core::Error);
  EXPECT_THROW(paired_tests(two, one), core::Error);
  EXPECT_THROW(paired_tests(two, std::vector<double>{1, std::nan("")}), core::Error);
  EXPECT_THROW(signed_rank_p(std::vector<double>{std::nan("")}), core::Error);
}

}  // namespace
}  // namespace coppice::monitor
