#include "sweep/sampler.h"

#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace coppice::sweep {
namespace {

std::vector<double> draw(const ParameterOptions& parameter, int64_t count, uint64_t seed = 1) {
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) {
    values.push_back(
        std::stod(make_random_sampler()->propose({parameter}, i, seed, {})->at(parameter.field)));
  }
  return values;
}

double share_below(const std::vector<double>& values, double bound) {
  return static_cast<double>(
             std::count_if(values.begin(), values.end(), [&](double v) { return v < bound; })) /
         static_cast<double>(values.size());
}

TEST(GridSampler, LastParameterVariesFastest) {
  const auto sampler = make_grid_sampler();
  const std::vector<ParameterOptions> space = {{"z", {"1", "2"}, {}, false, false},
                                               {"a", {"x", "y", "w"}, {}, false, false}};
  std::string order;
  for (int64_t i = 0; const auto assignment = sampler->propose(space, i, 1, {}); ++i) {
    order += assignment->at("z") + assignment->at("a") + " ";
  }
  EXPECT_EQ(order, "1x 1y 1w 2x 2y 2w ");
  EXPECT_EQ(sampler->size(space), 6);
  EXPECT_FALSE(sampler->propose(space, -1, 1, {}));
}

TEST(GridSampler, RefusesRanges) {
  try {
    make_grid_sampler()->propose({{"train.rate", {}, {0, 1}, false, false}}, 0, 1, {});
    FAIL();
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), core::ErrorKind::InvalidArgument);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("'train.rate'"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("sampler: random"));
  }
}

TEST(GridSampler, RefusesMoreThanCanBeCounted) {
  std::vector<ParameterOptions> space;
  for (int i = 0; i < 64; ++i) {
    space.push_back({"p" + std::to_string(i), {"0", "1"}, {}, false, false});
  }
  EXPECT_THROW(make_grid_sampler()->size(space), core::Error);
}

TEST(RandomSampler, IsUniform) {
  const auto values = draw({"a", {}, {-2, 6}, false, false}, 4000);
  EXPECT_GE(*std::min_element(values.begin(), values.end()), -2);
  EXPECT_LE(*std::max_element(values.begin(), values.end()), 6);
  EXPECT_NEAR(share_below(values, 0), 0.25, 0.03);
  EXPECT_NEAR(share_below(values, 4), 0.75, 0.03);
}

TEST(RandomSampler, IsUniformInTheLogarithm) {
  const auto values = draw({"a", {}, {1e-4, 1}, true, false}, 4000);
  EXPECT_GE(*std::min_element(values.begin(), values.end()), 1e-4);
  EXPECT_LE(*std::max_element(values.begin(), values.end()), 1);
  EXPECT_NEAR(share_below(values, 1e-3), 0.25, 0.03);
  EXPECT_NEAR(share_below(values, 1e-1), 0.75, 0.03);
}

TEST(RandomSampler, WholeNumbersHaveEqualShares) {
  std::map<double, int> seen;
  for (const double value : draw({"a", {}, {1.5, 5.2}, false, true}, 4000)) {
    ++seen[value];
  }
  ASSERT_EQ(seen.size(), 4u);  // 2 to 5
  for (const auto& [value, times] : seen) {
    EXPECT_NEAR(times, 1000, 120) << value;
  }
}

TEST(RandomSampler, WholeNumbersInTheLogarithm) {
  std::map<double, int> seen;
  for (const double value : draw({"a", {}, {1, 64}, true, true}, 8000)) {
    ++seen[value];
  }
  EXPECT_EQ(seen.begin()->first, 1);
  EXPECT_EQ(seen.rbegin()->first, 64);
  const double span = std::log(64.5 / 0.5);
  EXPECT_NEAR(seen[1], 8000 * std::log(1.5 / 0.5) / span, 150);
  EXPECT_NEAR(seen[8], 8000 * std::log(8.5 / 7.5) / span, 80);
}

TEST(RandomSampler, FieldsAndSeedsAreIndependent) {
  const ParameterOptions a{"a", {}, {0, 1}, false, false};
  const ParameterOptions b{"b", {}, {0, 1}, false, false};
  const auto both = make_random_sampler()->propose({a, b}, 3, 1, {});
  EXPECT_NE(both->at("a"), both->at("b"));
  EXPECT_EQ(both->at("a"), make_random_sampler()->propose({a}, 3, 1, {})->at("a"))
      << "a further parameter leaves the draws of the others";
  EXPECT_NE(draw(a, 5, 1), draw(a, 5, 2));
}

TEST(RandomSampler, NumbersAreWrittenExactly) {
  for (const double value : draw({"a", {}, {1e-9, 1}, true, false}, 50)) {
    EXPECT_GE(value, 1e-9);
  }
  const std::string text =
      make_random_sampler()->propose({{"a", {}, {1, 2}, false, false}}, 0, 1, {})->at("a");
  EXPECT_EQ(std::to_string(std::stod(text)).substr(0, 4), text.substr(0, 4));
}

TEST(Samplers, UnknownOnesAreNamed) {
  try {
    samplers().get("gird");
    FAIL();
  } catch (const core::Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("did you mean 'grid'"));
  }
}

}  // namespace
}  // namespace coppice::sweep
