#include "data/store.h"

#include <algorithm>
#include <csignal>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/expect_error.h"
#include "core/files.h"
#include "data/samples.h"

namespace coppice::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const std::map<std::string, std::string> kOrigin = {{"source", "a test"}};

void expect_equal(const Dataset& a, const Dataset& b) {
  const Batch first = read_all(a);
  const Batch second = read_all(b);
  EXPECT_EQ(a.schema(), b.schema());
  EXPECT_EQ(first.samples, second.samples);
  EXPECT_EQ(first.labels, second.labels);
}

size_t files_in(const std::filesystem::path& folder) {
  const auto begin = std::filesystem::directory_iterator(folder);
  return static_cast<size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

class Store : public ::testing::Test {
 protected:
  Version write(const Dataset& dataset, const std::vector<std::string>& origins = {}) const {
    return write_version(folder_.path() / "versions", dataset, {"a", "b"}, kOrigin, origins);
  }

  core::TemporaryFolder folder_;
};

TEST_F(Store, GivesBackWhatWasWritten) {
  const DatasetPtr dataset = test::six_images();
  const std::vector<std::string> origins = {"edge-1/1", "", "edge-3/42", "Größe", "x", "y"};
  const Version written = write(*dataset, origins);
  EXPECT_EQ(written.file.filename(), written.hash + ".h5");
  const Version read = describe_version(written.file);
  EXPECT_EQ(read.hash, written.hash);
  EXPECT_EQ(read.schema, dataset->schema());
  EXPECT_THAT(read.parents, ElementsAre("a", "b"));
  EXPECT_THAT(read.origin, ElementsAre(Pair("source", "a test")));
  EXPECT_EQ(read.statistics.samples, 6);
  EXPECT_EQ(read.statistics.class_counts, class_counts(*dataset));
  EXPECT_EQ(read.statistics.mean, compute_statistics(*dataset).mean);
  EXPECT_EQ(read.statistics.std, compute_statistics(*dataset).std);
  expect_equal(*open_version(written.file), *dataset);
  EXPECT_EQ(read_origins(written.file), origins);
}

TEST_F(Store, KeepsFloatsAndFeatureVectorsOfAnyLength) {
  std::vector<float> values(3 * 20'000);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = 1.0F / static_cast<float>(i + 1);
  }
  const DatasetPtr dataset = make_memory_dataset(
      test::schema_of({20'000}, 2, ElementType::F32), test::bytes_of(values), {1, -1, 0});
  const Version version = write(*dataset);
  expect_equal(*open_version(version.file), *dataset);
  EXPECT_EQ(describe_version(version.file).statistics.mean, version.statistics.mean);
  EXPECT_THAT(read_origins(version.file), IsEmpty());
}

TEST_F(Store, TheHashOfAContentNeverChanges) {
  const Schema schema = test::schema_of({1, 1, 2}, 2);
  const DatasetPtr dataset =
      make_memory_dataset(schema, {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}, {0, 1});
  EXPECT_EQ(write(*dataset).hash,
            "cab65a3a6c00fb21f7050d42b48dad040f152591b94dca21a997a7978a35e276");
}

TEST_F(Store, TheHashTellsEveryContentApart) {
  const auto hash =
      [&](const Schema& schema, std::vector<std::byte> samples, std::vector<int64_t> labels) {
        return write(*make_memory_dataset(schema, std::move(samples), std::move(labels))).hash;
      };
  const Schema schema = test::schema_of({1, 2, 2}, 2);
  const std::vector<std::byte> samples = test::random_bytes(8, 1);
  Schema other_shape = schema;
  other_shape.sample_shape = {2, 1, 2};
  Schema other_names = schema;
  other_names.class_names = {"class-0c", "lass-1"};
  Schema other_task = schema;
  other_task.task = "ranking";
  Schema other_type = schema;
  other_type.type = ElementType::F32;
  other_type.sample_shape = {1, 1, 1};
  std::set<std::string> hashes = {hash(schema, samples, {0, 1}),
                                  hash(schema, samples, {1, 0}),
                                  hash(schema, test::random_bytes(8, 2), {0, 1}),
                                  hash(other_shape, samples, {0, 1}),
                                  hash(other_names, samples, {0, 1}),
                                  hash(other_task, samples, {0, 1}),
                                  hash(other_type, test::bytes_of({1, 2}), {0, 1})};
  const DatasetPtr dataset = make_memory_dataset(schema, samples, {0, 1});
  hashes.insert(write_version(folder_.path(), *dataset, {"ab"}, kOrigin).hash);
  hashes.insert(write_version(folder_.path(), *dataset, {}, kOrigin).hash);
  EXPECT_EQ(hashes.size(), 9U);
}

TEST_F(Store, TheSameContentGivesTheSameBytes) {
  const std::vector<std::string> origins(6, "edge-1/7");
  const Version first =
      write_version(folder_.path() / "a", *test::six_images(), {}, kOrigin, origins);
  const Version second =
      write_version(folder_.path() / "b", *test::six_images(), {}, kOrigin, origins);
  EXPECT_EQ(core::read_file(first.file), core::read_file(second.file));
}

TEST_F(Store, FindsAVersionAgainInsteadOfWritingItTwice) {
  const Version first = write(*test::six_images());
  const auto time = std::filesystem::last_write_time(first.file);
  const Version second = write_version(
      folder_.path() / "versions", *test::six_images(), {"a", "b"}, {{"source", "elsewhere"}});
  EXPECT_EQ(second.hash, first.hash);
  EXPECT_THAT(second.origin, ElementsAre(Pair("source", "a test")));
  EXPECT_EQ(std::filesystem::last_write_time(first.file), time);
  EXPECT_EQ(files_in(folder_.path() / "versions"), 1U);
}

TEST_F(Store, RefusesAMissingFileAndOneThatIsNoVersion) {
  const std::filesystem::path file = folder_.path() / "absent.h5";
  EXPECT_ERROR(open_version(file), NotFound, HasSubstr(file.string()));
  EXPECT_ERROR(describe_version(file), NotFound, HasSubstr(file.string()));
  EXPECT_ERROR(read_origins(file), NotFound, HasSubstr(file.string()));
  test::put_file(file, core::as_bytes("not HDF5 at all"));
  EXPECT_ERROR(open_version(file), Corrupt, HasSubstr(file.string()));
  EXPECT_ERROR(open_version(folder_.path()), Corrupt, HasSubstr(folder_.path().string()));
}

TEST_F(Store, RefusesAFileTruncatedAnywhere) {
  const Version version = write(*test::six_images(), std::vector<std::string>(6, "edge"));
  for (auto size = std::filesystem::file_size(version.file); size > 0;) {
    size -= std::min<uintmax_t>(size, 13);
    std::filesystem::resize_file(version.file, size);
    EXPECT_ERROR(open_version(version.file), Corrupt, HasSubstr(version.file.string()));
  }
}

/// Whether `read` refuses the file as corrupt.
template <class Read>
bool refuses(const std::filesystem::path& file, const Read& read) {
  try {
    read(file);
    return false;
  } catch (const core::Error& error) {
    EXPECT_EQ(error.kind(), core::ErrorKind::Corrupt);
    EXPECT_THAT(error.what(), AllOf(HasSubstr(file.string()), HasSubstr("import it again")));
    return true;
  }
}

TEST_F(Store, RefusesAnyAlteredByte) {
  const DatasetPtr dataset = test::six_images();
  const Version version = write(*dataset, {"e/1", "e/2", "e/3", "e/4", "e/5", "e/6"});
  const core::Bytes whole = core::read_file(version.file);
  const core::Bytes samples = read_all(*dataset).samples;
  const auto first = std::search(whole.begin(), whole.end(), samples.begin(), samples.end());
  ASSERT_NE(first, whole.end());
  const auto start = static_cast<size_t>(first - whole.begin());
  for (size_t i = 0; i < whole.size(); ++i) {
    const unsigned bit = 1U << (i % 8);
    test::flip(version.file, i, bit);
    const bool in_samples = i >= start && i < start + samples.size();
    ASSERT_TRUE(refuses(version.file, open_version)) << "byte " << i;
    if (in_samples || i % 7 == 0) {  // a sample of bytes, since every refusal opens the file anew
      ASSERT_NE(refuses(version.file, describe_version), in_samples) << "byte " << i;
      ASSERT_NE(refuses(version.file, read_origins), in_samples) << "byte " << i;
    }
    test::flip(version.file, i, bit);
  }
  EXPECT_FALSE(refuses(version.file, open_version));
  test::flip(version.file, start, 1);
  EXPECT_ERROR(write(*dataset), Corrupt, HasSubstr("remove it and import it again"));
}

TEST_F(Store, SaysWhichPartWasAltered) {
  const DatasetPtr dataset = test::six_images();
  const Version version = write(*dataset);
  const core::Bytes whole = core::read_file(version.file);
  const Batch batch = read_all(*dataset);
  const auto alter = [&](std::span<const std::byte> part) {
    core::Bytes altered = whole;
    *std::search(altered.begin(), altered.end(), part.begin(), part.end()) ^= std::byte{1};
    test::put_file(version.file, altered);
  };
  alter(batch.samples);
  EXPECT_ERROR(open_version(version.file), Corrupt, HasSubstr("content does not match its hash"));
  alter(std::as_bytes(std::span(batch.labels)));
  EXPECT_ERROR(open_version(version.file), Corrupt, HasSubstr("its seal is broken"));
}

TEST_F(Store, RefusesAVersionUnderTheNameOfAnother) {
  const Version version = write(*test::six_images());
  const std::filesystem::path other = version.file.parent_path() / (std::string(64, '0') + ".h5");
  std::filesystem::rename(version.file, other);
  EXPECT_ERROR(open_version(other), Corrupt, HasSubstr("it holds version " + version.hash));
  const std::filesystem::path free = version.file.parent_path() / "friendly.h5";
  std::filesystem::rename(other, free);
  EXPECT_NO_THROW(open_version(free));
}

TEST_F(Store, RefusesWhatCanNotBeAVersion) {
  const DatasetPtr dataset = test::six_images();
  EXPECT_ERROR(
      write(*dataset, {"only one"}), InvalidArgument, HasSubstr("1 origins for 6 samples"));
  EXPECT_ERROR(write(*make_subset(dataset, {})), InvalidArgument, HasSubstr("empty"));
  std::vector<std::string> origins(6, "x");
  origins[2] = std::string("a\0b", 3);
  EXPECT_ERROR(write(*dataset, origins), InvalidArgument, HasSubstr("NUL"));
  origins[2] = std::string(256, 'x');
  EXPECT_ERROR(write(*dataset, origins), InvalidArgument, HasSubstr("256 bytes: at most 255"));
  origins[2] = "\xff";
  EXPECT_ERROR(write(*dataset, origins), InvalidArgument, HasSubstr("UTF-8"));
  test::put_file(folder_.path() / "versions", core::as_bytes("a file in the way"));
  EXPECT_ERROR(write(*dataset), Io, HasSubstr("versions"));
}

/// Files can't grow beyond `bytes` as long as it lives: writing fails as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }

  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_ = {};
};

TEST_F(Store, AFullDiskLeavesEarlierVersionsIntact) {
  const Version earlier = write(*test::six_images());
  const DatasetPtr larger = make_memory_dataset(
      test::schema_of({1, 28, 28}, 1), test::random_bytes(784 * 300, 1), std::vector<int64_t>(300));
  const std::vector<std::string> origins(300, "edge-1/1234");
  for (const rlim_t room : {0, 100, 700, 3000, 6000, 20'000, 100'000, 200'000, 235'200}) {
    std::string message;
    core::ErrorKind kind = core::ErrorKind::Internal;
    {
      const FullDisk disk(room);
      try {
        write(*larger, origins);
      } catch (const core::Error& error) {
        message = error.what();
        kind = error.kind();
      }
    }
    EXPECT_EQ(kind, core::ErrorKind::Io) << "with room for " << room << " bytes";
    EXPECT_THAT(message, AllOf(HasSubstr("versions"), HasSubstr("File too large")));
    EXPECT_EQ(files_in(folder_.path() / "versions"), 1U);
    expect_equal(*open_version(earlier.file), *test::six_images());
  }
  expect_equal(*open_version(write(*larger, origins).file), *larger);
}

}  // namespace
}  // namespace coppice::data
