#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "core/files.h"
#include "data/samples.h"
#include "data/store.h"

namespace coppice::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Schema regression_schema() {
  Schema schema;
  schema.task = "regression";
  schema.type = ElementType::F32;
  schema.sample_shape = {2};
  schema.target_names = {"force", "torque"};
  return schema;
}

DatasetPtr three_with_targets() {
  return make_memory_dataset(regression_schema(),
                             test::bytes_of({1, 2, 3, 4, 5, 6}),
                             {-1, -1, -1},
                             {0.5F, 10, 1.5F, 20, 4, 60});
}

TEST(Targets, AreReadWithTheirSamples) {
  Batch batch;
  three_with_targets()->read(std::vector<int64_t>{2, 0}, batch);
  EXPECT_THAT(batch.targets, ElementsAre(4, 60, 0.5F, 10));
  test::six_images()->read(std::vector<int64_t>{1}, batch);
  EXPECT_THAT(batch.targets, IsEmpty()) << "a reused buffer keeps nothing of another data set";
}

TEST(Targets, PassThroughViews) {
  const DatasetPtr subset = make_subset(three_with_targets(), {1, 2});
  EXPECT_THAT(read_all(*subset).targets, ElementsAre(1.5F, 20, 4, 60));
  Batch batch;
  make_concatenation({subset, three_with_targets()})->read(std::vector<int64_t>{4, 0, 2}, batch);
  EXPECT_THAT(batch.targets, ElementsAre(4, 60, 1.5F, 20, 0.5F, 10));
}

TEST(Targets, MustFitTheSchemaAndBeFinite) {
  const auto make = [](Schema schema, std::vector<float> targets) {
    return make_memory_dataset(std::move(schema), test::bytes_of({1, 2}), {-1}, std::move(targets));
  };
  EXPECT_ERROR(make(regression_schema(), {1}), InvalidArgument, HasSubstr("1 target values for 1"));
  EXPECT_ERROR(make(regression_schema(), {1, std::nanf("")}),
               InvalidArgument,
               HasSubstr("target 'torque' of sample 0"));
  Schema both = regression_schema();
  both.class_names = {"a"};
  EXPECT_ERROR(make(both, {1, 2}), InvalidArgument, HasSubstr("classify or regress"));
}

TEST(Targets, HaveStatistics) {
  const Statistics statistics = compute_statistics(*three_with_targets());
  EXPECT_THAT(statistics.target_mean, ElementsAre(2, 30));
  EXPECT_NEAR(statistics.target_std[1], std::sqrt((400 + 100 + 900) / 3.0), 1e-12);
  EXPECT_THAT(compute_statistics(*test::six_images()).target_mean, IsEmpty());
}

class ExtendedVersion : public ::testing::Test {
 protected:
  Version write(const Dataset& dataset, const Columns& columns = {}) const {
    return write_version(folder_.path(), dataset, {}, {}, {}, columns);
  }

  core::TemporaryFolder folder_;
};

TEST_F(ExtendedVersion, GivesBackTargetsAndColumns) {
  const Columns columns = {{"device", {"a", "", "größer"}}, {"time/s", {"1", "2", "3"}}};
  const Version version = write(*three_with_targets(), columns);
  const DatasetPtr read = open_version(version.file);
  EXPECT_EQ(read->schema(), regression_schema());
  EXPECT_EQ(read_all(*read).targets, read_all(*three_with_targets()).targets);
  EXPECT_EQ(read_columns(version.file), columns);
  EXPECT_EQ(describe_version(version.file).statistics.target_mean, version.statistics.target_mean);
}

TEST_F(ExtendedVersion, TheHashTellsTargetsAndColumnsApart) {
  const std::string plain = write(*test::six_images()).hash;
  const std::vector<std::string> devices(6, "a");
  const std::string grouped = write(*test::six_images(), {{"device", devices}}).hash;
  EXPECT_NE(plain, grouped);
  EXPECT_NE(grouped, write(*test::six_images(), {{"user", devices}}).hash);
  Schema renamed = regression_schema();
  renamed.target_names = {"force", "speed"};
  const Batch all = read_all(*three_with_targets());
  const DatasetPtr other = make_memory_dataset(renamed, all.samples, all.labels, all.targets);
  EXPECT_NE(write(*three_with_targets()).hash, write(*other).hash);
}

TEST_F(ExtendedVersion, RefusesAlteredTargetsAndColumns) {
  const Version version = write(*three_with_targets(), {{"device", {"edge-77", "b", "c"}}});
  const std::string bytes(core::as_text(core::read_file(version.file)));
  std::vector<float> targets = read_all(*three_with_targets()).targets;
  const std::string_view needle(reinterpret_cast<const char*>(targets.data()), 4 * targets.size());
  for (const size_t place : {bytes.find(needle), bytes.find("edge-77")}) {
    ASSERT_NE(place, std::string::npos);
    test::flip(version.file, place, 1);
    EXPECT_ERROR(open_version(version.file), Corrupt, HasSubstr(version.file.string()));
    test::flip(version.file, place, 1);
  }
  EXPECT_NO_THROW(open_version(version.file));
}

TEST_F(ExtendedVersion, RefusesColumnsOfAnotherLength) {
  EXPECT_ERROR(write(*three_with_targets(), {{"device", {"a"}}}),
               InvalidArgument,
               HasSubstr("1 texts of column 'device' for 3 samples"));
}

}  // namespace
}  // namespace coppice::data
