#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "core/files.h"
#include "core/gzip.h"
#include "data/readers.h"
#include "data/samples.h"

namespace coppice::data {
namespace {

using core::test::gzip;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void put(core::Bytes& bytes, uint32_t value) {
  for (const uint32_t shift : {24U, 16U, 8U, 0U}) {
    bytes.push_back(static_cast<std::byte>(value >> shift));
  }
}

core::Bytes images_idx(uint32_t count, uint32_t height, uint32_t width) {
  core::Bytes bytes;
  for (const uint32_t value : {0x803U, count, height, width}) {
    put(bytes, value);
  }
  const core::Bytes pixels = test::random_bytes(size_t{count} * height * width, 3);
  bytes.insert(bytes.end(), pixels.begin(), pixels.end());
  return bytes;
}

core::Bytes labels_idx(const std::vector<int>& labels) {
  core::Bytes bytes;
  put(bytes, 0x801);
  put(bytes, static_cast<uint32_t>(labels.size()));
  for (const int label : labels) {
    bytes.push_back(static_cast<std::byte>(label));
  }
  return bytes;
}

class Idx : public ::testing::Test {
 protected:
  Idx() {
    test::put_file(images_, images_idx(4, 3, 5));
    test::put_file(labels_, labels_idx({0, 2, 1, 2}));
  }

  DatasetPtr read() const { return read_idx(images_, labels_, test::class_names(3)); }

  core::TemporaryFolder folder_;
  std::filesystem::path images_ = folder_.path() / "images-idx3-ubyte";
  std::filesystem::path labels_ = folder_.path() / "labels-idx1-ubyte";
};

TEST_F(Idx, ReadsPlainFiles) {
  const DatasetPtr dataset = read();
  EXPECT_EQ(dataset->size(), 4);
  EXPECT_THAT(dataset->schema().sample_shape, ElementsAre(1, 3, 5));
  const Batch batch = read_all(*dataset);
  EXPECT_EQ(batch.samples, test::random_bytes(60, 3));
  EXPECT_THAT(batch.labels, ElementsAre(0, 2, 1, 2));
}

TEST_F(Idx, TellsGzipByItsContentWhateverTheName) {
  const Batch plain = read_all(*read());
  test::put_file(images_, gzip(images_idx(4, 3, 5)));
  std::filesystem::path zipped = labels_;
  zipped += ".gz";
  test::put_file(zipped, gzip(labels_idx({0, 2, 1, 2})));
  const Batch batch = read_all(*read_idx(images_, zipped, test::class_names(3)));
  EXPECT_EQ(batch.samples, plain.samples);
  EXPECT_EQ(batch.labels, plain.labels);
}

TEST_F(Idx, NamesAMissingFileAndItsZippedNeighbour) {
  std::filesystem::remove(images_);
  EXPECT_ERROR(read(), NotFound, HasSubstr(images_.string()));
  std::filesystem::path zipped = images_;
  zipped += ".gz";
  test::put_file(zipped, gzip(images_idx(4, 3, 5)));
  EXPECT_ERROR(read(), NotFound, HasSubstr("did you mean 'images-idx3-ubyte.gz'?"));
}

TEST_F(Idx, RefusesImagesTruncatedAnywhere) {
  for (auto size = std::filesystem::file_size(images_); size > 0;) {
    std::filesystem::resize_file(images_, --size);
    EXPECT_ERROR(read(), Corrupt, AllOf(HasSubstr(images_.string()), HasSubstr("truncated")));
  }
}

TEST_F(Idx, RefusesLabelsTruncatedAnywhere) {
  for (auto size = std::filesystem::file_size(labels_); size > 0;) {
    std::filesystem::resize_file(labels_, --size);
    EXPECT_ERROR(read(), Corrupt, AllOf(HasSubstr(labels_.string()), HasSubstr("truncated")));
  }
}

TEST_F(Idx, RefusesTrailingBytes) {
  core::Bytes longer = images_idx(4, 3, 5);
  longer.push_back(std::byte{0});
  test::put_file(images_, longer);
  EXPECT_ERROR(
      read(), Corrupt, AllOf(HasSubstr("trailing bytes: 61 bytes"), HasSubstr("[4, 3, 5]")));
}

TEST_F(Idx, RefusesAWrongMagicNumber) {
  test::put_file(images_, labels_idx({0, 1}));
  EXPECT_ERROR(read(), Corrupt, HasSubstr("truncated"));
  core::Bytes other = images_idx(4, 3, 5);
  other[3] = std::byte{4};
  test::put_file(images_, other);
  EXPECT_ERROR(read(), Corrupt, HasSubstr("magic number 0x00000804 instead of 0x00000803"));
}

TEST_F(Idx, RefusesGzipTruncatedOrAlteredAnywhere) {
  const Batch expected = read_all(*read());
  test::put_file(images_, gzip(images_idx(4, 3, 5)));
  constexpr size_t kNotChecked = 10;  // gzip's header: time stamp, operating system
  const auto whole = std::filesystem::file_size(images_);
  for (size_t i = 0; i < whole; ++i) {
    test::flip(images_, i, 0x10);
    if (i >= kNotChecked) {
      EXPECT_ERROR(read(), Corrupt, HasSubstr(images_.string()));
    } else {
      try {
        EXPECT_EQ(read_all(*read()).samples, expected.samples);
      } catch (const core::Error& error) {
        EXPECT_EQ(error.kind(), core::ErrorKind::Corrupt);
      }
    }
    test::flip(images_, i, 0x10);
  }
  for (auto size = whole; size > 0;) {
    std::filesystem::resize_file(images_, --size);
    EXPECT_ERROR(read(), Corrupt, HasSubstr(images_.string()));
  }
}

TEST_F(Idx, RefusesCountsThatDiffer) {
  test::put_file(labels_, labels_idx({0, 2, 1}));
  EXPECT_ERROR(
      read(), Corrupt, AllOf(HasSubstr("3 labels for the 4 images"), HasSubstr(images_.string())));
}

TEST_F(Idx, RefusesALabelBeyondTheClassNames) {
  test::put_file(labels_, labels_idx({0, 2, 3, 2}));
  EXPECT_ERROR(read(), Corrupt, HasSubstr("label 3 of sample 2, but there are 3 class names"));
}

TEST_F(Idx, RefusesHeadersThatAnnounceNothingOrTooMuch) {
  test::put_file(images_, images_idx(4, 0, 5));
  EXPECT_ERROR(read(), Corrupt, HasSubstr("[4, 0, 5]: nothing"));
  core::Bytes huge;
  for (const uint32_t value : {0x803U, 0xFFFFFFFFU, 0xFFFFFFFFU, 0xFFFFFFFFU}) {
    put(huge, value);
  }
  test::put_file(images_, huge);
  EXPECT_ERROR(read(), Corrupt, HasSubstr("truncated"));
}

}  // namespace
}  // namespace coppice::data
