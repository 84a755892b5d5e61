#include "core/log.h"

#include <unistd.h>

#include "core/expect_error.h"
#include "core/files.h"

namespace coppice::core {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(Log, WritesPlainLinesToStderrAndToTheFile) {
  const TemporaryFolder folder;
  ::testing::internal::CaptureStderr();
  log_info("before the file");
  log_to_file(folder.path() / "log.txt");
  log_info("epoch {} is no format string");
  log_warning("learning rate is high");
  log_error("gone");
  log_debug("hidden");
  const std::string lines =
      "[0-9]{2}:[0-9]{2}:[0-9]{2} info epoch \\{\\} is no format string\n"
      "[0-9]{2}:[0-9]{2}:[0-9]{2} warning learning rate is high\n"
      "[0-9]{2}:[0-9]{2}:[0-9]{2} error gone\n";
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              MatchesRegex("[0-9:]{8} info before the file\n" + lines));
  EXPECT_THAT(read_text(folder.path() / "log.txt"), MatchesRegex(lines));
}

TEST(Log, ASecondFileTakesTheFirstOnesPlaceAndAppends) {
  const TemporaryFolder folder;
  write_file(folder.path() / "b.txt", "kept\n");
  ::testing::internal::CaptureStderr();
  log_to_file(folder.path() / "a.txt");
  log_info("one");
  log_to_file(folder.path() / "b.txt");
  log_info("two");
  ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(read_text(folder.path() / "a.txt"), MatchesRegex("[0-9:]{8} info one\n"));
  EXPECT_THAT(read_text(folder.path() / "b.txt"), MatchesRegex("kept\n[0-9:]{8} info two\n"));
}

TEST(Log, LevelsBelowTheChosenAreSilent) {
  ::testing::internal::CaptureStderr();
  set_log_level(LogLevel::Warning);
  log_info("quiet");
  log_warning("loud");
  set_log_level(LogLevel::Debug);
  log_debug("detail");
  set_log_level(LogLevel::Info);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              MatchesRegex("[0-9:]{8} warning loud\n[0-9:]{8} debug detail\n"));
}

TEST(Log, NamesAFileThatCannotBeOpened) {
  const TemporaryFolder folder;
  write_file(folder.path() / "file", "");
  EXPECT_ERROR(log_to_file(folder.path() / "file" / "log.txt"), Io, HasSubstr("log.txt"));
}

}  // namespace
}  // namespace coppice::core
