#include "runtime/rounding.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace coppice::runtime {
namespace {

template <class T>
void expect_as_defined() {
  using Limits = std::numeric_limits<T>;
  for (const int32_t zero : {0, 3, int32_t{Limits::min()}, int32_t{Limits::max()}}) {
    for (int i = -3000; i <= 3000; ++i) {
      const float value = static_cast<float>(i) / 8;
      const double exact = std::nearbyint(static_cast<double>(value)) + zero;
      const double expected = std::clamp<double>(exact, Limits::min(), Limits::max());
      ASSERT_EQ(int32_t{round_saturate<T>(value, zero)}, static_cast<int32_t>(expected))
          << value << " + " << zero;
    }
    EXPECT_EQ(round_saturate<T>(std::numeric_limits<float>::infinity(), zero), Limits::max());
    EXPECT_EQ(round_saturate<T>(-1e38F, zero), Limits::min());
    EXPECT_EQ(round_saturate<T>(std::nanf(""), zero), Limits::min());
  }
}

TEST(RoundSaturate, RoundsHalfToEvenAndSaturates) {
  expect_as_defined<uint8_t>();
  expect_as_defined<int8_t>();
}

}  // namespace
}  // namespace coppice::runtime
