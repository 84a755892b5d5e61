#include "jobs/error_line.h"

#include <gtest/gtest.h>

namespace coppice::jobs {
namespace {

using core::Error;
using core::ErrorKind;

TEST(ErrorLine, EveryKindComesBack) {
  for (int i = 0; i <= static_cast<int>(ErrorKind::Internal); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    const Error read = parse_error_lines(to_error_line(Error(kind, "no file: 'x'")) + "\n");
    EXPECT_EQ(read.kind(), kind);
    EXPECT_STREQ(read.what(), "no file: 'x'");
  }
}

TEST(ErrorLine, TheLastOneCounts) {
  const Error read = parse_error_lines(
      "error: config: first\nwarning: x\r\nerror: io\nterror: y\n\n  \nlast words");
  EXPECT_EQ(read.kind(), ErrorKind::Internal);
  EXPECT_STREQ(read.what(), "io");
}

TEST(ErrorLine, NoneGivesAnEmptyMessage) {
  EXPECT_STREQ(parse_error_lines("").what(), "");
  EXPECT_STREQ(parse_error_lines("\n\nsome text\n").what(), "");
}

TEST(ErrorLine, IsOneLine) {
  EXPECT_EQ(to_error_line(Error(ErrorKind::Config, "a\nb")).find('\n'), std::string::npos);
}

}  // namespace
}  // namespace coppice::jobs
