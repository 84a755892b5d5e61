#include "edge/spool.h"

#include <csignal>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/expect_error.h"
#include "core/files.h"
#include "edge/samples.h"

namespace coppice::edge {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::entry;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kAnyBytes;
using testing::sequences;

class SpoolTest : public ::testing::Test {
 protected:
  fs::path file() const { return folder_.path() / "spool.db"; }

  core::TemporaryFolder folder_;
};

TEST_F(SpoolTest, GivesBackWhatWasPutIn) {
  Spool spool(file(), 1000);
  const auto full = entry(1, 2);
  auto bare = entry(2, 1, 0);
  bare.sample.predicted = -1;
  bare.sample.feedback = -1;
  bare.sample.reason = "";
  bare.sample.model_hash = "";
  spool.add({full, bare});
  EXPECT_THAT(spool.best(10, kAnyBytes), ElementsAre(full.sample, bare.sample));
  EXPECT_EQ(spool.count(), 2);
  EXPECT_EQ(spool.payload_bytes(), 100);
  EXPECT_EQ(spool.added(), 2);
}

TEST_F(SpoolTest, KnowsTheMostValuableThatFit) {
  Spool spool(file(), 1000);
  spool.add({entry(1, 1), entry(2, 3), entry(3, 2), entry(4, 3)});
  EXPECT_THAT(sequences(spool.best(10, kAnyBytes)), ElementsAre(2, 4, 3, 1));
  EXPECT_THAT(sequences(spool.best(3, kAnyBytes)), ElementsAre(2, 4, 3));
  EXPECT_THAT(sequences(spool.best(10, 299)), ElementsAre(2, 4));
  EXPECT_THAT(sequences(spool.best(10, 1)), ElementsAre(2)) << "one of any size";
  EXPECT_THAT(spool.best(0, kAnyBytes), IsEmpty());
}

TEST_F(SpoolTest, EvictsTheLeastValuableFirst) {
  Spool spool(file(), 350);
  spool.add({entry(1, 1), entry(2, 3), entry(3, 2)});
  spool.add({entry(4, 0.5)});
  EXPECT_THAT(sequences(spool.best(10, kAnyBytes)), ElementsAre(2, 3, 1)) << "the new one is worst";
  spool.add({entry(5, 4), entry(6, 1)});
  EXPECT_THAT(sequences(spool.best(10, kAnyBytes)), ElementsAre(5, 2, 3));
  EXPECT_EQ(spool.payload_bytes(), 300);
  EXPECT_EQ(spool.added(), 6);
  EXPECT_EQ(spool.evicted(), 3);
  spool.add({entry(7, 2)});
  EXPECT_THAT(sequences(spool.best(10, kAnyBytes)), ElementsAre(5, 2, 7)) << "of equals the oldest";
}

TEST_F(SpoolTest, NeverEvictsWhatIsUnderWay) {
  Spool spool(file(), 250);
  spool.add({entry(1, 1), entry(2, 1)});
  spool.start("d/1", spool.best(10, kAnyBytes));
  spool.add({entry(3, 9)});
  EXPECT_EQ(spool.waiting(), 0);
  EXPECT_THAT(sequences(spool.contents("d/1")), ElementsAre(1, 2));
  EXPECT_EQ(spool.evicted(), 1);
  spool.put_back("d/1");
  spool.add({entry(4, 9)});
  EXPECT_THAT(sequences(spool.best(10, kAnyBytes)), ElementsAre(4, 2));
}

TEST_F(SpoolTest, OneThatIsTooLargeTakesNoOtherWithIt) {
  Spool spool(file(), 250);
  spool.add({entry(1, 1), entry(2, 9, 251), entry(3, 1)});
  EXPECT_THAT(sequences(spool.best(10, kAnyBytes)), ElementsAre(1, 3));
  EXPECT_EQ(spool.added(), 3);
  EXPECT_EQ(spool.evicted(), 1);
}

TEST_F(SpoolTest, AcknowledgingForgetsOnlyWhatIsNamed) {
  Spool spool(file(), 1000);
  spool.add({entry(1, 4), entry(2, 3), entry(3, 2), entry(4, 1)});
  spool.start("d/1", spool.best(1, kAnyBytes));
  spool.start("d/2", spool.best(2, kAnyBytes));
  spool.acknowledge({"d/1", "d/7", ""});
  EXPECT_THAT(spool.under_way(), ElementsAre("d/2"));
  EXPECT_THAT(sequences(spool.contents("d/2")), ElementsAre(2, 3));
  EXPECT_THAT(spool.contents("d/1"), IsEmpty());
  EXPECT_THAT(sequences(spool.best(9, kAnyBytes)), ElementsAre(4));
  EXPECT_EQ(spool.evicted(), 0) << "what the cloud has is not lost";
}

TEST_F(SpoolTest, GivesUpASampleOnlyWhileItWaits) {
  Spool spool(file(), 1000);
  spool.add({entry(1, 4), entry(2, 3)});
  spool.start("d/1", spool.best(1, kAnyBytes));
  spool.evict(1);
  spool.evict(2);
  spool.evict(3);
  EXPECT_EQ(spool.count(), 1);
  EXPECT_EQ(spool.evicted(), 1);
}

TEST_F(SpoolTest, EverythingIsThereAfterAReopen) {
  {
    Spool spool(file(), 1000);
    spool.add({entry(1, 4), entry(2, 3), entry(3, 5)});
    spool.start("d/1", spool.best(1, kAnyBytes));
    spool.remember("day", 20000);
    spool.remember("day", 20001);
  }
  Spool spool(file(), 1000);
  EXPECT_THAT(spool.under_way(), ElementsAre("d/1"));
  EXPECT_THAT(sequences(spool.contents("d/1")), ElementsAre(3));
  EXPECT_THAT(spool.best(9, kAnyBytes), ElementsAre(entry(1, 4).sample, entry(2, 3).sample));
  EXPECT_EQ(spool.recall("day"), 20001);
  EXPECT_EQ(spool.recall("never set"), 0);
}

TEST_F(SpoolTest, ASmallerCapacityIsKeptToFromTheNextSampleOn) {
  Spool(file(), 1000).add({entry(1, 4), entry(2, 3), entry(3, 5)});
  Spool spool(file(), 200);
  spool.add({entry(4, 1)});
  EXPECT_THAT(sequences(spool.best(9, kAnyBytes)), ElementsAre(3, 1));
}

TEST_F(SpoolTest, NumbersHaveNoGapsAndNeverComeAgain) {
  std::set<int64_t> given;
  std::set<int64_t> messages;
  for (int life = 0; life < 3; ++life) {
    Spool spool(file(), 1000);
    int64_t next = 0;
    for (const int64_t count : {1, 5000, 3}) {
      const int64_t first = spool.reserve_sequences(count);
      EXPECT_TRUE(next == 0 || first == next) << first << " after " << next;
      EXPECT_TRUE(given.empty() || first > *given.rbegin());
      next = first + count;
      given.insert(first);
      given.insert(next - 1);
    }
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(messages.insert(spool.next_message()).second);
    }
  }
  EXPECT_EQ(*given.begin(), 1);
  EXPECT_EQ(*messages.begin(), 1);
}

/// What the child has written down before it goes on.
struct Record {
  int64_t last_sequence = 0;
  int64_t message = 0;
};

[[noreturn]] void work_until_killed(const fs::path& file, int pipe) {
  Spool spool(file, 1 << 24);
  for (int round = 0;; ++round) {
    const int64_t first = spool.reserve_sequences(3);
    spool.add({entry(first, 1), entry(first + 1, 2), entry(first + 2, 3)});
    const Record record{first + 2, spool.next_message()};
    if (round % 2 == 0) {
      spool.start("d/" + std::to_string(record.message), spool.best(2, kAnyBytes));
    }
    if (::write(pipe, &record, sizeof(record)) != sizeof(record)) {
      ::_exit(1);
    }
  }
}

TEST_F(SpoolTest, SurvivesAKill) {
  int64_t records = 0;
  Record last;
  for (int life = 0; life < 3; ++life) {
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      work_until_killed(file(), ends[1]);
    }
    ::close(ends[1]);
    Record record;
    for (int64_t seen = 0; ::read(ends[0], &record, sizeof(record)) == sizeof(record);) {
      EXPECT_GT(record.last_sequence, last.last_sequence);
      EXPECT_GT(record.message, last.message);
      last = record;
      ++records;
      if (++seen == 20) {
        ::kill(child, SIGKILL);
      }
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    Spool spool(file(), 1 << 24);
    EXPECT_GE(spool.count(), 3 * records) << "all that was told of is there";
    EXPECT_EQ(spool.count(), spool.added());
    EXPECT_GT(spool.reserve_sequences(1), last.last_sequence);
    EXPECT_GT(spool.next_message(), last.message);
    int64_t under_way = 0;
    for (const auto& id : spool.under_way()) {
      under_way += std::ssize(spool.contents(id));
    }
    EXPECT_EQ(spool.waiting() + under_way, spool.count());
  }
}

TEST_F(SpoolTest, AFileThatIsNoDatabaseIsRefused) {
  core::write_file(file(), std::string(5000, 'x'));
  EXPECT_ERROR(Spool(file(), 1000), Corrupt, AllOf(HasSubstr("spool.db"), HasSubstr("move it")));
  EXPECT_EQ(core::read_text(file()), std::string(5000, 'x')) << "nothing is overwritten";
}

TEST_F(SpoolTest, ADamagedDatabaseIsAnError) {
  {
    Spool spool(file(), 1 << 20);
    for (int64_t i = 1; i <= 200; ++i) {
      spool.add({entry(i, 1, 1000)});
    }
  }
  const auto size = fs::file_size(file());
  ASSERT_GT(size, 100000U);
  std::fstream bytes(file(), std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(4096);
  const std::string garbage(static_cast<size_t>(size) - 4096, '\xee');
  bytes.write(garbage.data(), static_cast<std::streamsize>(garbage.size()));
  bytes.close();
  EXPECT_ERROR(Spool(file(), 1 << 20).best(1000, kAnyBytes), Corrupt, HasSubstr("spool.db"));
}

TEST_F(SpoolTest, AFolderThatIsMissingIsAnError) {
  EXPECT_ERROR(Spool(folder_.path() / "no" / "spool.db", 1), Io, HasSubstr("spool.db"));
}

TEST_F(SpoolTest, AFullDiskChangesNothing) {
  Spool spool(file(), 1 << 24);
  spool.add({entry(1, 1)});
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit full = {200000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  EXPECT_ERROR(spool.add({entry(2, 1), entry(3, 1, 1000000)}), Io, HasSubstr("spool.db"));
  EXPECT_EQ(spool.count(), 1);
  EXPECT_EQ(spool.added(), 1);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  spool.add({entry(2, 1)});
  EXPECT_EQ(spool.count(), 2);
}

}  // namespace
}  // namespace coppice::edge
