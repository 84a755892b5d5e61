#include "data/balance.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/rng.h"

namespace coppice::data {
namespace {

using ::testing::ElementsAre;

std::vector<int64_t> loads(const std::vector<std::vector<int64_t>>& flow) {
  std::vector<int64_t> sums(flow.front().size());
  for (const auto& row : flow) {
    std::transform(row.begin(), row.end(), sums.begin(), sums.begin(), std::plus<>());
  }
  return sums;
}

TEST(Balance, FillsEqualSharesWhereItCan) {
  // The scenario of the closed loop: two classes that only the last three of twelve days have.
  const auto flow = balance({{4800, 31200}, {72, 24}, {{false, true}, {true, true}}});
  EXPECT_THAT(flow[0], ElementsAre(0, 4800));
  EXPECT_THAT(flow[1], ElementsAre(27000, 4200));
}

TEST(Balance, KeepsTheRatioOfGoodsEqualInPlacesThatTakeBoth) {
  const auto flow = balance({{2400, 2400, 31200},
                             {48, 24, 24},
                             {{false, false, true}, {false, true, true}, {true, true, true}}});
  EXPECT_THAT(loads(flow), ElementsAre(18000, 9000, 9000));
  const auto ratio = [&](size_t place) {
    return static_cast<double>(flow[1][place]) / static_cast<double>(flow[2][place]);
  };
  EXPECT_NEAR(ratio(1), ratio(2), 1e-3);
  EXPECT_GT(flow[1][2], 900);
}

TEST(Balance, IsAsEvenAsItCanBeWhereEqualSharesAreImpossible) {
  const auto flow = balance({{20000, 31200}, {72, 24}, {{false, true}, {true, true}}});
  EXPECT_THAT(flow[0], ElementsAre(0, 20000));
  EXPECT_THAT(flow[1], ElementsAre(31200, 0));
}

TEST(Balance, FindsEvenLoadsThroughOtherPlaces) {
  const auto flow = balance({{100, 101}, {1, 1, 1}, {{true, true, false}, {false, true, true}}});
  EXPECT_THAT(loads(flow), ElementsAre(67, 67, 67));
}

/// No unit can move, directly or through other places, so that two loads come closer: the
/// definition of balance, checked by trying every chain of places.
bool is_even(const Supply& supply, const std::vector<std::vector<int64_t>>& flow) {
  const size_t places = supply.slots.size();
  std::vector<std::vector<bool>> reaches(places, std::vector<bool>(places));
  for (size_t g = 0; g < flow.size(); ++g) {
    for (size_t from = 0; from < places; ++from) {
      for (size_t to = 0; to < places; ++to) {
        if (flow[g][from] > 0 && supply.allowed[g][to]) {
          reaches[from][to] = true;
        }
      }
    }
  }
  for (size_t via = 0; via < places; ++via) {
    for (size_t from = 0; from < places; ++from) {
      for (size_t to = 0; to < places; ++to) {
        reaches[from][to] = reaches[from][to] || (reaches[from][via] && reaches[via][to]);
      }
    }
  }
  const std::vector<int64_t> sums = loads(flow);
  for (size_t from = 0; from < places; ++from) {
    for (size_t to = 0; to < places; ++to) {
      const int64_t fullest = (sums[from] + supply.slots[from] - 1) / supply.slots[from];
      if (reaches[from][to] && fullest - sums[to] / supply.slots[to] > 1) {
        return false;
      }
    }
  }
  return true;
}

TEST(Balance, HoldsItsPromisesForRandomSupplies) {
  core::Rng rng(1);
  for (int trial = 0; trial < 200; ++trial) {
    Supply supply;
    const int64_t places = 1 + rng.below(6);
    for (int64_t p = 0; p < places; ++p) {
      supply.slots.push_back(1 + rng.below(30));
    }
    const int64_t goods = 1 + rng.below(6);
    for (int64_t g = 0; g < goods; ++g) {
      supply.amounts.push_back(1 + rng.below(3000));
      std::vector<bool> allowed;
      for (int64_t p = 0; p < places; ++p) {
        allowed.push_back(rng.bernoulli(0.5));
      }
      allowed[static_cast<size_t>(rng.below(places))] = true;
      supply.allowed.push_back(allowed);
    }
    const auto flow = balance(supply);
    for (size_t g = 0; g < flow.size(); ++g) {
      EXPECT_EQ(std::accumulate(flow[g].begin(), flow[g].end(), int64_t{0}), supply.amounts[g]);
      for (size_t p = 0; p < flow[g].size(); ++p) {
        EXPECT_GE(flow[g][p], 0);
        EXPECT_TRUE(flow[g][p] == 0 || supply.allowed[g][p]);
      }
    }
    EXPECT_TRUE(is_even(supply, flow)) << "trial " << trial;
  }
}

}  // namespace
}  // namespace coppice::data
