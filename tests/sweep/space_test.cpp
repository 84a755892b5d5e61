#include "sweep/space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/error.h"

namespace coppice::sweep {
namespace {

using ::testing::HasSubstr;

std::string refusal(const std::vector<ParameterOptions>& space) {
  try {
    check_space(space);
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), core::ErrorKind::InvalidArgument);
    return error.what();
  }
  return "nothing was refused";
}

TEST(Space, GoodOnesPass) {
  check_space({{"a", {"1"}, {}, false, false},
               {"b", {}, {1e-4, 1}, true, false},
               {"c", {}, {1, 5}, false, true},
               {"d", {}, {-1, 1}, false, false}});
}

TEST(Space, BadOnesAreNamed) {
  EXPECT_THAT(refusal({}), HasSubstr("at least one"));
  EXPECT_THAT(refusal({{"", {"1"}, {}, false, false}}), HasSubstr("field"));
  EXPECT_THAT(refusal({{"a.b", {}, {}, false, false}}), HasSubstr("'a.b': give values or a range"));
  EXPECT_THAT(refusal({{"a", {"1"}, {0, 1}, false, false}}), HasSubstr("not both"));
  EXPECT_THAT(refusal({{"a", {}, {0}, false, false}}), HasSubstr("[low, high]"));
  EXPECT_THAT(refusal({{"a", {}, {0, 1, 2}, false, false}}), HasSubstr("[low, high]"));
  EXPECT_THAT(refusal({{"a", {}, {1, 0}, false, false}}), HasSubstr("reversed"));
  EXPECT_THAT(refusal({{"a", {}, {1, 1}, false, false}}), HasSubstr("empty"));
  EXPECT_THAT(refusal({{"a", {}, {0, 1}, true, false}}), HasSubstr("logarithm"));
  EXPECT_THAT(refusal({{"a", {}, {0.2, 0.8}, false, true}}), HasSubstr("whole number"));
  EXPECT_THAT(refusal({{"a", {"1"}, {}, true, false}}), HasSubstr("log"));
  EXPECT_THAT(refusal({{"a", {"1"}, {}, false, false}, {"a", {"2"}, {}, false, false}}),
              HasSubstr("twice"));
}

TEST(Space, IsReadFromYaml) {
  const auto parameter = core::read_options<ParameterOptions>(core::parse_config_text(
      "field: model.widths\nvalues: [\"[16, 32]\", 8, relu]\n", "sweep.yaml"));
  EXPECT_EQ(parameter.field, "model.widths");
  EXPECT_THAT(parameter.values, ::testing::ElementsAre("[16, 32]", "8", "relu"));
  EXPECT_THROW(
      core::read_options<ParameterOptions>(core::parse_config_text("values: [1]\n", "sweep.yaml")),
      core::Error);
}

TEST(Space, OverridesAreThoseOfSet) {
  EXPECT_THAT(to_overrides({{"b", "[1, 2]"}, {"a.c", "0.5"}}),
              ::testing::ElementsAre("a.c=0.5", "b=[1, 2]"));
}

}  // namespace
}  // namespace coppice::sweep
