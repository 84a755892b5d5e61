#include "report/tensorboard.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "report/crc32c.h"

namespace coppice::report {
namespace {

TEST(Crc32c, KnownAnswers) {
  EXPECT_EQ(crc32c(core::as_bytes("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(crc32c(core::as_bytes(std::string(32, '\0'))), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(core::as_bytes(std::string(32, '\xff'))), 0x62a8ab43u);
  EXPECT_EQ(masked_crc32c({}), 0xa282ead8u);
}

class TensorBoardTest : public ::testing::Test {
 protected:
  core::TemporaryFolder folder_;
};

TEST_F(TensorBoardTest, ScalarsComeBack) {
  const double before = static_cast<double>(core::to_millis(core::SystemClock().now())) / 1000;
  TensorBoardLog log(folder_.path() / "run");
  log.write(1, {{"train/loss", 0.5}, {"train/accuracy", 0.875}});
  log.write(int64_t{1} << 40, {{"train/loss", std::numeric_limits<double>::quiet_NaN()}});
  log.write(3, {});
  const auto events = read_tensorboard(log.file());
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].file_version, "brain.Event:2");
  EXPECT_GE(events[0].wall_time, before);
  EXPECT_LT(events[0].wall_time, before + 100);
  EXPECT_EQ(events[1].step, 1);
  EXPECT_EQ(events[1].scalars,
            (std::map<std::string, float>{{"train/loss", 0.5f}, {"train/accuracy", 0.875f}}));
  EXPECT_EQ(events[2].step, int64_t{1} << 40);
  EXPECT_TRUE(std::isnan(events[2].scalars.at("train/loss")));
  EXPECT_TRUE(events[3].scalars.empty());
}

TEST_F(TensorBoardTest, TheFramingIsThatOfTfRecords) {
  TensorBoardLog log(folder_.path());
  const std::string text = core::read_text(log.file());
  // Event{wall_time = 9 bytes, file_version = 2 + 13 bytes}: a record of 24 bytes.
  ASSERT_EQ(text.size(), 8u + 4 + 24 + 4);
  EXPECT_EQ(text.substr(0, 8), std::string("\x18\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(text.substr(8, 4),
            "\xa3\x7f\x4b\x22");  // of the length, as TensorFlow writes it for a first event
  EXPECT_EQ(text[12], '\x09');
  EXPECT_EQ(text.substr(21, 15),
            "\x1a\x0d"
            "brain.Event:2");
}

TEST_F(TensorBoardTest, FilesOfOneFolderDiffer) {
  const TensorBoardLog first(folder_.path());
  const TensorBoardLog second(folder_.path());
  EXPECT_NE(first.file(), second.file());
  EXPECT_THAT(first.file().filename().string(), ::testing::StartsWith("events.out.tfevents."));
}

TEST_F(TensorBoardTest, EveryAlteredByteIsNoticed) {
  TensorBoardLog log(folder_.path());
  log.write(7, {{"loss", 0.25}});
  const std::string whole = core::read_text(log.file());
  const auto damaged = folder_.path() / "damaged";
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string text = whole;
    text[i] = static_cast<char>(text[i] ^ 0x10);
    core::write_file(damaged, text);
    try {
      read_tensorboard(damaged);
      FAIL() << "byte " << i;
    } catch (const core::Error& error) {
      EXPECT_EQ(error.kind(), core::ErrorKind::Corrupt);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(i < 40 ? "at byte 0:" : "at byte 40:"));
    }
  }
  core::write_file(damaged, whole.substr(0, whole.size() - 1));
  EXPECT_THROW(read_tensorboard(damaged), core::Error);
}

TEST_F(TensorBoardTest, AResumedLogPurgesWhatTheRunRepeats) {
  std::filesystem::path first_file;
  double first_time = 0;
  {
    TensorBoardLog first(folder_.path());
    first_file = first.file();
    for (int64_t step = 0; step <= 6; ++step) {
      first.write(step, {{"train/loss", 1.0 / static_cast<double>(step + 1)}});
    }
    first_time = read_tensorboard(first.file()).at(1).wall_time;
  }
  const std::string whole = core::read_text(first_file);
  core::write_file(first_file, whole.substr(0, whole.size() - 3));  // killed over the last record
  EXPECT_EQ(read_whole_events(first_file).size(), 7u);
  TensorBoardLog resumed(folder_.path(), 4);
  resumed.write(5, {{"train/loss", 9}});
  EXPECT_THAT(tensorboard_files(folder_.path()), ::testing::ElementsAre(resumed.file()));
  const auto events = read_tensorboard(resumed.file());
  ASSERT_EQ(events.size(), 7u);  // the version, steps 0 to 4, and the new 5
  EXPECT_EQ(events[1].wall_time, first_time);
  EXPECT_FLOAT_EQ(events[5].scalars.at("train/loss"), 0.2f);
  EXPECT_EQ(events[6].step, 5);
  EXPECT_EQ(events[6].scalars.at("train/loss"), 9);
  TensorBoardLog anew(folder_.path(), -1);
  EXPECT_EQ(read_tensorboard(anew.file()).size(), 1u);
  EXPECT_EQ(tensorboard_files(folder_.path()).size(), 1u);
  EXPECT_TRUE(tensorboard_files(folder_.path() / "absent").empty());
}

TEST_F(TensorBoardTest, AFolderThatCannotBeMadeIsTold) {
  core::write_file(folder_.path() / "file", "x");
  EXPECT_THROW(TensorBoardLog(folder_.path() / "file" / "run"), core::Error);
}

}  // namespace
}  // namespace coppice::report
