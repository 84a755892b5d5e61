#include "data/scenario.h"

#include <algorithm>
#include <numeric>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.h"
#include "core/expect_error.h"
#include "data/samples.h"

namespace coppice::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Twelve days and eight devices; classes 8 and 9 are withheld until day 10.
ScenarioOptions twelve_days() {
  ScenarioOptions options;
  options.withheld_classes = {"class-8", "class-9"};
  options.phases = {{"clean", 3, {}, {}},
                    {"noise", 3, {}, {}},
                    {"rotation", 3, {}, {}},
                    {"new classes", 3, {}, test::class_names(10)}};
  return options;
}

std::vector<int64_t> loop_counts() {
  std::vector<int64_t> counts(8, 3900);
  counts.insert(counts.end(), {2400, 2400});
  return counts;
}

void expect_every_image_once(const DatasetPtr& field, const std::vector<DaySlice>& slices) {
  std::vector<int64_t> all;
  for (const DaySlice& slice : slices) {
    all.insert(all.end(), slice.indices.begin(), slice.indices.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<int64_t> expected(static_cast<size_t>(field->size()));
  std::iota(expected.begin(), expected.end(), int64_t{0});
  EXPECT_EQ(all, expected);
}

TEST(DealField, DealsTheLoopsFieldEvenly) {
  const DatasetPtr field = test::with_counts(loop_counts());
  const auto slices = deal_field(*field, twelve_days(), 1);
  ASSERT_THAT(slices, SizeIs(96));
  expect_every_image_once(field, slices);
  for (size_t i = 0; i < slices.size(); ++i) {
    EXPECT_EQ(slices[i].day, static_cast<int64_t>(i) / 8 + 1);
    EXPECT_EQ(slices[i].device, static_cast<int64_t>(i) % 8);
    ASSERT_THAT(slices[i].indices, SizeIs(375));
    const auto counts = test::counts_of(field, slices[i].indices);
    const bool last_phase = slices[i].day >= 10;
    for (size_t c = 0; c < 10; ++c) {
      const double expected =
          c < 8 ? (last_phase ? 525.0 / 24 : 375.0 / 8) : (last_phase ? 100 : 0);
      EXPECT_NEAR(static_cast<double>(counts[c]), expected, 2) << "slice " << i << ", class " << c;
    }
  }
}

TEST(DealField, IsDecidedByTheSeedAndArrivesInRandomOrder) {
  const DatasetPtr field = test::with_counts(loop_counts());
  const auto first = deal_field(*field, twelve_days(), 1);
  const auto again = deal_field(*field, twelve_days(), 1);
  const auto other = deal_field(*field, twelve_days(), 2);
  int same = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].indices, again[i].indices);
    same += first[i].indices == other[i].indices ? 1 : 0;
  }
  EXPECT_EQ(same, 0);
  int changes = 0;
  for (size_t i = 1; i < 375; ++i) {
    changes += field->label(first[0].indices[i]) != field->label(first[0].indices[i - 1]) ? 1 : 0;
  }
  EXPECT_NEAR(changes, 374 * 7 / 8.0, 35);
}

TEST(DealField, SpreadsTheRemainder) {
  std::vector<int64_t> counts = loop_counts();
  counts[0] += 31;
  const DatasetPtr field = test::with_counts(counts);
  const auto slices = deal_field(*field, twelve_days(), 1);
  expect_every_image_once(field, slices);
  std::vector<int64_t> day_loads(12);
  for (const DaySlice& slice : slices) {
    const auto load = static_cast<int64_t>(slice.indices.size());
    EXPECT_TRUE(load == 375 || load == 376);
    day_loads[static_cast<size_t>(slice.day - 1)] += load;
  }
  EXPECT_THAT(day_loads, ::testing::Each(AllOf(::testing::Ge(3002), ::testing::Le(3003))));
}

TEST(DealField, FillsWhatItCanWhenEqualSharesAreImpossible) {
  const DatasetPtr field = test::with_counts({900, 900, 6000});
  ScenarioOptions options;
  options.devices = 2;
  options.withheld_classes = {"class-2"};
  options.phases = {{"old", 3, {}, {}}, {"new", 1, {}, {"class-0", "class-1", "class-2"}}};
  const auto slices = deal_field(*field, options, 1);
  expect_every_image_once(field, slices);
  for (const DaySlice& slice : slices) {
    EXPECT_THAT(slice.indices, SizeIs(slice.day == 4 ? 3000 : 300));
  }
}

TEST(DealField, AMixedPhaseHasOnlyItsClasses) {
  const DatasetPtr field = test::with_counts({400, 400, 400, 400});
  ScenarioOptions options;
  options.devices = 3;
  options.phases = {{"all", 2, {}, {}}, {"two", 2, {}, {"class-1", "class-3"}}};
  const auto slices = deal_field(*field, options, 7);
  expect_every_image_once(field, slices);
  std::vector<int64_t> late(4);
  for (const DaySlice& slice : slices) {
    EXPECT_NEAR(static_cast<double>(slice.indices.size()), 133.3, 0.7);
    const auto counts = test::counts_of(field, slice.indices);
    for (size_t c = 0; slice.day > 2 && c < 4; ++c) {
      late[c] += counts[c];
    }
  }
  EXPECT_THAT(late, ElementsAre(0, 400, 0, 400));
}

TEST(DealField, LeavesOutUnknownLabelsAndClassesOfNoPhase) {
  std::vector<int64_t> labels = {0, 1, -1, 0, 1, 2, 2, 0, 1, -1};
  const DatasetPtr field =
      make_memory_dataset(test::schema_of({1}, 3), test::random_bytes(10, 1), labels);
  ScenarioOptions options;
  options.devices = 1;
  options.withheld_classes = {"class-2"};
  options.phases = {{"clean", 2, {}, {}}};
  std::set<int64_t> dealt;
  for (const DaySlice& slice : deal_field(*field, options, 1)) {
    EXPECT_THAT(slice.indices, SizeIs(3));
    dealt.insert(slice.indices.begin(), slice.indices.end());
  }
  EXPECT_THAT(dealt, ElementsAre(0, 1, 3, 4, 7, 8));
}

TEST(DealField, RefusesScenariosThatCanNotBeDealt) {
  const DatasetPtr field = test::with_counts({50, 50, 0});
  ScenarioOptions options;
  EXPECT_ERROR(deal_field(*field, options, 1), InvalidArgument, HasSubstr("needs devices, phases"));
  options.phases = {{"clean", 1, {}, {}}, {"rare", 1, {}, {"class-2"}}};
  EXPECT_ERROR(deal_field(*field, options, 1), InvalidArgument, HasSubstr("phase 'rare'"));
  options.phases[1].classes = {"class-22"};
  EXPECT_ERROR(deal_field(*field, options, 1),
               InvalidArgument,
               AllOf(HasSubstr("phase 'rare': unknown class 'class-22'"), HasSubstr("class-2'?")));
  options.phases[1].classes = {};
  options.withheld_classes = {"bag"};
  EXPECT_ERROR(deal_field(*field, options, 1), InvalidArgument, HasSubstr("withheld_classes"));
  options.withheld_classes = {};
  options.devices = 0;
  EXPECT_ERROR(deal_field(*field, options, 1), InvalidArgument, HasSubstr("needs devices"));
}

TEST(Scenario, FindsThePhaseOfADayAndItsClasses) {
  const ScenarioOptions options = twelve_days();
  EXPECT_EQ(options.total_days(), 12);
  EXPECT_EQ(phase_of_day(options, 1).name, "clean");
  EXPECT_EQ(phase_of_day(options, 3).name, "clean");
  EXPECT_EQ(phase_of_day(options, 4).name, "noise");
  EXPECT_EQ(phase_of_day(options, 12).name, "new classes");
  EXPECT_ERROR(phase_of_day(options, 0), InvalidArgument, HasSubstr("day 0"));
  EXPECT_ERROR(phase_of_day(options, 13), InvalidArgument, HasSubstr("days 1 to 12"));
  const Schema schema = test::schema_of({1}, 10);
  EXPECT_THAT(classes_of_phase(options, options.phases[0], schema),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(classes_of_phase(options, options.phases[3], schema), SizeIs(10));
}

TEST(ScenarioOptions, AreReadFromYaml) {
  const auto options = core::read_options<ScenarioOptions>(core::parse_config_text(R"(
devices: 3
withheld_classes: [bag]
phases:
  - {name: clean, days: 2}
  - name: dark
    days: 4
    classes: [bag, shirt]
    transforms:
      - {name: brightness, low: -0.3, high: -0.3}
)",
                                                                                   "test.yaml"));
  EXPECT_EQ(options.total_days(), 6);
  EXPECT_EQ(options.phases[1].transforms.at(0).low, -0.3);
  EXPECT_THAT(options.phases[1].classes, ElementsAre("bag", "shirt"));
  EXPECT_ERROR(core::read_options<ScenarioOptions>(
                   core::parse_config_text("phases: [{name: x, days: 0}]", "test.yaml")),
               Config,
               HasSubstr("days"));
}

}  // namespace
}  // namespace coppice::data
