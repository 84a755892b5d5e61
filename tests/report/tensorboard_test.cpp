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

TEST_F(TensorBoardTest, AFolderThatCannotBeMadeIsTold) {
  core::write_file(folder_.path() / "file", "x");
  EXPECT_THROW(TensorBoardLog(folder_.path() / "file" / "run"), core::Error);
}

}  // namespace
}  // namespace coppice::report
