#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "data/readers.h"
#include "data/split.h"
#include "data/statistics.h"
#include "data/store.h"

namespace coppice::data {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

/// Where Debian's package dataset-fashion-mnist, which tools/packages.txt lists, puts the images.
const std::filesystem::path kFolder = "/usr/share/datasets/fashion-mnist";

DatasetPtr read(const std::string& part) {
  return read_idx(kFolder / (part + "-images-idx3-ubyte.gz"),
                  kFolder / (part + "-labels-idx1-ubyte.gz"),
                  {"t-shirt",
                   "trouser",
                   "pullover",
                   "dress",
                   "coat",
                   "sandal",
                   "shirt",
                   "sneaker",
                   "bag",
                   "ankle boot"});
}

TEST(FashionMnist, IsReadStoredAndSplit) {
  const DatasetPtr train = read("train");
  const DatasetPtr test = read("t10k");
  EXPECT_EQ(train->size(), 60'000);
  EXPECT_EQ(test->size(), 10'000);
  EXPECT_THAT(train->schema().sample_shape, ElementsAre(1, 28, 28));
  EXPECT_THAT(class_counts(*train), Each(6000));
  EXPECT_THAT(class_counts(*test), Each(1000));

  const core::TemporaryFolder folder;
  const DatasetPtr whole = make_concatenation({train, test});
  const Version version = write_version(folder.path(), *whole, {}, {{"source", "Fashion-MNIST"}});
  EXPECT_THAT(version.statistics.class_counts, Each(7000));
  EXPECT_NEAR(version.statistics.mean.at(0) / 255, 0.286, 0.001);
  EXPECT_NEAR(version.statistics.std.at(0) / 255, 0.353, 0.001);
  EXPECT_EQ(read_all(*open_version(version.file)).samples, read_all(*whole).samples);

  const auto parts = stratified_split(*train, {12'000, 6'000, 36'000}, core::Rng(1));
  EXPECT_THAT(class_counts(*make_subset(train, parts[0])), Each(1200));
  EXPECT_THAT(class_counts(*make_subset(train, parts[1])), Each(600));
  EXPECT_THAT(class_counts(*make_subset(train, parts[2])), Each(3600));
}

}  // namespace
}  // namespace coppice::data
