#include "core/error.h"

#include <set>
#include <vector>

#include "core/expect_error.h"
#include "core/registry.h"

namespace coppice::core {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Error, KeepsKindAndMessage) {
  const Error error(ErrorKind::Corrupt, "data.gz: truncated");
  EXPECT_EQ(error.kind(), ErrorKind::Corrupt);
  EXPECT_STREQ(error.what(), "data.gz: truncated");
}

TEST(Error, EveryKindHasItsOwnName) {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::Internal); ++kind) {
    names.insert(to_string(static_cast<ErrorKind>(kind)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(ErrorKind::Internal) + 1);
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(Check, NamesConditionFileAndMessage) {
  EXPECT_NO_THROW(COPPICE_CHECK(1 + 1 == 2, "arithmetic"));
  EXPECT_ERROR(
      COPPICE_CHECK(1 + 1 == 3, "arithmetic is broken"),
      Internal,
      AllOf(
          HasSubstr("error_test.cpp"), HasSubstr("arithmetic is broken"), HasSubstr("1 + 1 == 3")));
}

TEST(EditDistance, CountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3U);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2U);
}

TEST(DidYouMean, NamesTheNearestOrNothing) {
  const std::vector<std::string> names = {"learning_rate", "momentum", "lr"};
  EXPECT_EQ(did_you_mean("lerning_rate", names), " (did you mean 'learning_rate'?)");
  EXPECT_EQ(did_you_mean("l", names), " (did you mean 'lr'?)");
  EXPECT_EQ(did_you_mean("temperature_unit", names), "");
  EXPECT_EQ(did_you_mean("x", std::vector<std::string>{}), "");
}

TEST(Registry, FindsByNameAndRefusesTwins) {
  Registry<int> registry("sampler");
  registry.add("grid", 1, "every combination");
  registry.add("random", 2, "independent draws");
  EXPECT_EQ(registry.get("random"), 2);
  EXPECT_THAT(registry.names(), ElementsAre("grid", "random"));
  EXPECT_EQ(registry.entries().at("grid").help, "every combination");
  EXPECT_ERROR(registry.add("grid", 3, ""), InvalidArgument, HasSubstr("sampler 'grid'"));
  EXPECT_EQ(registry.get("grid"), 1);
  EXPECT_ERROR(registry.get("rondom"),
               NotFound,
               AllOf(HasSubstr("sampler 'rondom'"), HasSubstr("did you mean 'random'")));
}

}  // namespace
}  // namespace coppice::core
