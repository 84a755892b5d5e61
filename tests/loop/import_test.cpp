#include "loop/import.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "loop/tiny_world.h"

namespace coppice::loop {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const std::vector<std::string> kWithheld{"bottom right"};

class Import : public ::testing::Test {
 protected:
  ImportedData import(const DataOptions& options, uint64_t seed = 1) const {
    return import_data(options, kWithheld, world_.folder() / "versions", seed);
  }

  TinyWorld world_;
};

std::set<int64_t> ids_of(const Part& part) {
  const auto ids = data::read_all(*part.samples).ids;
  return {ids.begin(), ids.end()};
}

TEST_F(Import, PartsHaveTheSizesAskedFor) {
  const ImportedData data = import(world_.data());
  EXPECT_EQ(data.all.samples->size(), kTrainImages);
  EXPECT_EQ(data.train.samples->size(), 300);
  EXPECT_EQ(data.held_out.samples->size(), 120);
  EXPECT_EQ(data.field.samples->size(), 700);
  EXPECT_EQ(data.test.samples->size(), kTestImages);
}

TEST_F(Import, PartsAreDisjointAndTheTestImagesAreOthers) {
  const ImportedData data = import(world_.data());
  std::set<int64_t> together;
  for (const Part* part : {&data.train, &data.held_out, &data.field}) {
    together.merge(ids_of(*part));
  }
  EXPECT_THAT(together, SizeIs(300 + 120 + 700));
  EXPECT_THAT(together, Each(AllOf(::testing::Ge(0), ::testing::Lt(kTrainImages))));
  EXPECT_NE(data.test.version.hash, data.all.version.hash);
}

TEST_F(Import, WithheldClassesAreHeldOutAndSeenInTheFieldButNotTrainedOn) {
  const ImportedData data = import(world_.data());
  EXPECT_THAT(data::class_counts(*data.train.samples), ElementsAre(100, 100, 100, 0));
  EXPECT_THAT(data::class_counts(*data.held_out.samples), ElementsAre(30, 30, 30, 30));
  // 170 of each known class are left; the withheld one makes up for what is missing.
  EXPECT_THAT(data::class_counts(*data.field.samples), ElementsAre(170, 170, 170, 190));
}

TEST_F(Import, TheFieldTakesWithheldClassesOnlyWhenTheOthersRunOut) {
  DataOptions options = world_.data();
  options.field = 510;
  EXPECT_THAT(data::class_counts(*import(options).field.samples), ElementsAre(170, 170, 170, 0));
  options.field = 90;
  EXPECT_THAT(data::class_counts(*import(options).field.samples), ElementsAre(30, 30, 30, 0));
  options.field = 780;
  EXPECT_THAT(data::class_counts(*import(options).field.samples), ElementsAre(170, 170, 170, 270));
}

TEST_F(Import, AFieldMayBeEmpty) {
  DataOptions options = world_.data();
  options.field = 0;
  const ImportedData data = import(options);
  EXPECT_EQ(data.field.samples->size(), 0);
  EXPECT_TRUE(data.field.version.file.empty());
}

TEST_F(Import, EveryPartIsAVersionThatNamesItsOrigin) {
  const ImportedData data = import(world_.data());
  for (const Part* part : {&data.train, &data.held_out, &data.field}) {
    EXPECT_THAT(part->version.parents, ElementsAre(data.all.version.hash));
    const auto read = data::open_version(part->version.file);
    const auto labels = data::read_all(*read).labels;
    EXPECT_EQ(labels, data::read_all(*part->samples).labels);
    EXPECT_EQ(data::read_all(*read).samples, data::read_all(*part->samples).samples);
  }
  EXPECT_EQ(data.all.version.statistics.samples, kTrainImages);
  EXPECT_THAT(data.all.version.statistics.class_counts, ElementsAre(300, 300, 300, 300));
}

TEST_F(Import, TheSameSeedGivesTheSameVersionsAndAnotherSeedOthers) {
  const ImportedData first = import(world_.data());
  const ImportedData again = import(world_.data());
  const ImportedData other = import(world_.data(), 2);
  for (const auto part : {&ImportedData::train, &ImportedData::held_out, &ImportedData::field}) {
    EXPECT_EQ((first.*part).version.hash, (again.*part).version.hash);
    EXPECT_NE((first.*part).version.hash, (other.*part).version.hash);
  }
  EXPECT_EQ(first.all.version.hash, other.all.version.hash);
}

TEST_F(Import, SizesThatExceedTheDataAreRefused) {
  DataOptions options = world_.data();
  options.field = 781;
  EXPECT_ERROR(import(options),
               InvalidArgument,
               AllOf(HasSubstr("data.field"), HasSubstr("781"), HasSubstr("780")));
  options = world_.data();
  options.train = 811;  // 810 of the known classes are left behind the held-out part
  EXPECT_ERROR(import(options), InvalidArgument, AllOf(HasSubstr("811"), HasSubstr("810")));
  options = world_.data();
  options.held_out = kTrainImages + 1;
  EXPECT_ERROR(import(options), InvalidArgument, HasSubstr("1201"));
}

TEST_F(Import, AManifestNamesTheSameDataAsTheFourFiles) {
  const std::string parts =
      "name: tiny\ntitle: tiny\nsource: nowhere\nlicence: none\nfolder: elsewhere\n"
      "class_names: [top left, top right, bottom left, bottom right]\nparts:\n"
      "  - {name: train, source: {format: idx, files: [train-images], label_files: "
      "[train-labels]}}\n"
      "  - {name: test, source: {format: idx, files: [test-images], label_files: [test-labels]}}\n";
  core::write_file(world_.folder() / "tiny.yaml", parts);
  DataOptions options = world_.data();
  const ImportedData files = import(options);
  options.manifest = (world_.folder() / "tiny.yaml").string();
  options.train_images.clear();
  options.class_names.clear();
  EXPECT_ERROR(check_data(options),
               NotFound,
               AllOf(HasSubstr("data.manifest: "), HasSubstr("elsewhere/train-images")));
  options.folder = world_.folder().string();
  EXPECT_NO_THROW(check_data(options));
  const ImportedData manifest = import(options);
  EXPECT_EQ(manifest.train.version.hash, files.train.version.hash);
  EXPECT_EQ(manifest.test.version.hash, files.test.version.hash);
}

TEST_F(Import, ImagesAreResizedWhenASideIsGiven) {
  DataOptions options = world_.data();
  options.side = 12;
  const ImportedData data = import(options);
  EXPECT_THAT(data.train.samples->schema().sample_shape, ElementsAre(1, 12, 12));
  EXPECT_THAT(data.test.samples->schema().sample_shape, ElementsAre(1, 12, 12));
  EXPECT_EQ(data.train.samples->size(), 300);
}

}  // namespace
}  // namespace coppice::loop
