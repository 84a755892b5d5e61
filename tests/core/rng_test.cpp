#include "core/rng.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/expect_error.h"

namespace coppice::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Rng, MatchesThePublishedGenerator) {
  Rng rng(0);
  rng.set_state({1, 2, 3, 4});
  const std::vector<uint64_t> published = {41943041ULL,
                                           58720359ULL,
                                           3588806011781223ULL,
                                           3591011842654386ULL,
                                           9228616714210784205ULL,
                                           9973669472204895162ULL,
                                           14011001112246962877ULL,
                                           12406186145184390807ULL,
                                           15849039046786891736ULL,
                                           10450023813501588000ULL};
  for (const uint64_t expected : published) {
    EXPECT_EQ(rng.next(), expected);
  }
}

TEST(Rng, SeedsBySplitMix) {
  EXPECT_THAT(Rng(0).state(),
              ElementsAre(0xE220A8397B1DCDAFULL,
                          0x6E789E6AA1B965F4ULL,
                          0x06C45D188009454FULL,
                          0xF88BB8A8724C81ECULL));
}

TEST(Rng, SplitsAreIndependentOfEachOtherAndOfLaterDraws) {
  Rng parent(7);
  const Rng shuffle = parent.split("shuffle");
  EXPECT_EQ(parent.state(), Rng(7).state());
  std::set<uint64_t> firsts = {Rng(shuffle).next(),
                               parent.split("augment").next(),
                               parent.split("").next(),
                               parent.split(0).next(),
                               parent.split(1).next(),
                               Rng(8).split("shuffle").next(),
                               Rng(7).next()};
  EXPECT_EQ(firsts.size(), 7U);
  EXPECT_EQ(Rng(7).split("shuffle").state(), shuffle.state());
}

TEST(Rng, UniformFillsItsInterval) {
  Rng rng(1);
  double low = 1;
  double high = 0;
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = rng.uniform();
    low = std::min(low, value);
    high = std::max(high, value);
    sum += value;
  }
  EXPECT_GE(low, 0);
  EXPECT_LT(low, 1e-3);
  EXPECT_LT(high, 1);
  EXPECT_GT(high, 1 - 1e-3);
  EXPECT_NEAR(sum / 100000, 0.5, 0.005);
  for (int i = 0; i < 1000; ++i) {
    const double value = rng.uniform(-2, 3);
    EXPECT_TRUE(value >= -2 && value < 3);
  }
}

TEST(Rng, BelowIsUniform) {
  Rng rng(2);
  std::vector<int> counts(6);
  for (int i = 0; i < 60000; ++i) {
    ++counts.at(static_cast<size_t>(rng.below(6)));
  }
  for (const int count : counts) {
    EXPECT_NEAR(count, 10000, 500);
  }
  EXPECT_EQ(rng.below(1), 0);
  // A bound for which a plain remainder would return the lower half twice as often.
  const int64_t bound = (int64_t{1} << 62) + (int64_t{1} << 61);
  int lower = 0;
  for (int i = 0; i < 10000; ++i) {
    lower += rng.below(bound) < bound / 2 ? 1 : 0;
  }
  EXPECT_NEAR(lower, 5000, 250);
  EXPECT_ERROR(rng.below(0), Internal, HasSubstr("positive"));
}

TEST(Rng, NormalInvertsTheNormalDistribution) {
  // The quantile of a uniform number, taken back through the distribution function, is that number.
  Rng normals(3);
  Rng uniforms(3);
  double sum = 0;
  double squares = 0;
  double farthest = 0;
  constexpr int kDraws = 200000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = normals.normal();
    const double p = (static_cast<double>(uniforms.next() >> 12U) + 0.5) * 0x1.0p-52;
    ASSERT_NEAR(0.5 * std::erfc(-value / std::sqrt(2.0)), p, 1e-14);
    sum += value;
    squares += value * value;
    farthest = std::max(farthest, std::abs(value));
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.01);
  EXPECT_NEAR(squares / kDraws, 1, 0.02);
  EXPECT_GT(farthest, 4);
  EXPECT_LT(farthest, 7);
}

TEST(Rng, NormalIsExactInTheFarTails) {
  // A state whose next number is all zeros or all ones: p = 2^-53 from either end.
  Rng rng(0);
  rng.set_state({0, 1, 2, 0});
  const double low = rng.normal();
  EXPECT_NEAR(0.5 * std::erfc(-low / std::sqrt(2.0)) * 0x1.0p53, 1, 1e-11);
  rng.set_state({0, 1, 2, ~uint64_t{0}});
  EXPECT_NEAR(rng.normal(), -low, 1e-12);
}

TEST(Rng, BernoulliHasItsProbability) {
  Rng rng(4);
  int hits = 0;
  for (int i = 0; i < 10000; ++i) {
    hits += rng.bernoulli(0.3) ? 1 : 0;
    EXPECT_FALSE(rng.bernoulli(0));
    EXPECT_TRUE(rng.bernoulli(1));
  }
  EXPECT_NEAR(hits, 3000, 200);
}

TEST(Rng, PermutationHoldsEveryIndexOnce) {
  Rng rng(5);
  std::vector<int64_t> order = rng.permutation(1000);
  std::vector<int64_t> identity(1000);
  std::iota(identity.begin(), identity.end(), int64_t{0});
  EXPECT_NE(order, identity);
  EXPECT_EQ(order, Rng(5).permutation(1000));
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, identity);
  EXPECT_TRUE(rng.permutation(0).empty());
}

TEST(Rng, EveryOrderOfThreeIsEquallyLikely) {
  Rng rng(6);
  std::map<std::vector<int64_t>, int> counts;
  for (int i = 0; i < 60000; ++i) {
    ++counts[rng.permutation(3)];
  }
  ASSERT_EQ(counts.size(), 6U);
  for (const auto& [order, count] : counts) {
    EXPECT_NEAR(count, 10000, 500);
  }
}

}  // namespace
}  // namespace coppice::core
