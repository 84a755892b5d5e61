#include <gtest/gtest.h>

#include "jobs/executor.h"

namespace coppice::jobs {
namespace {

TEST(ProgressLine, ComesBackAsItWas) {
  const JobProgress sent = {"epoch \"3\"/10\n", int64_t{1} << 40, -1, "images", "loss 0.41 ü \xff"};
  const std::string line = to_line(sent);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  JobProgress read;
  ASSERT_TRUE(parse_line(line, read));
  EXPECT_EQ(read.phase, sent.phase);
  EXPECT_EQ(read.done, sent.done);
  EXPECT_EQ(read.total, sent.total);
  EXPECT_EQ(read.unit, sent.unit);
  EXPECT_TRUE(read.note.starts_with("loss 0.41 ü"));
}

TEST(ProgressLine, OtherLinesAreNone) {
  JobProgress progress;
  progress.phase = "kept";
  for (const char* line : {"",
                           "epoch 3",
                           "{",
                           "{}",
                           "[1]",
                           "{\"progress\": 3}",
                           "{\"progress\": {\"done\": \"many\"}}",
                           "{\"progress\": {\"done\": 1.5}}",
                           "{\"progress\": {\"phase\": 1}}"}) {
    EXPECT_FALSE(parse_line(line, progress)) << line;
  }
  EXPECT_EQ(progress.phase, "kept");
}

TEST(ProgressLine, FieldsMayBeMissing) {
  JobProgress progress;
  EXPECT_TRUE(parse_line("{\"progress\": {\"done\": 4}}", progress));
  EXPECT_EQ(progress.done, 4);
  EXPECT_EQ(progress.total, 0);
}

}  // namespace
}  // namespace coppice::jobs
