#include "core/files.h"

#include <fstream>
#include <functional>
#include <thread>

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/expect_error.h"

namespace coppice::core {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

size_t entries(const std::filesystem::path& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// Runs `body` in a process of its own, which may spoil its limits and mounts; returns its exit
/// code.
int in_child(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

constexpr int kFine = 0;
constexpr int kWrong = 1;
constexpr int kNotAllowed = 2;

/// Whether a failing write leaves the old file and nothing else.
int check_failing_write(const std::filesystem::path& folder, std::string_view reason) {
  try {
    write_file(folder / "state", std::string(1000000, 'x'));
  } catch (const Error& error) {
    const std::string message = error.what();
    const bool named =
        message.find("state") != std::string::npos && message.find(reason) != std::string::npos;
    return error.kind() == ErrorKind::Io && named && read_text(folder / "state") == "old" &&
                   entries(folder) == 1
               ? kFine
               : kWrong;
  }
  return kWrong;
}

TEST(Files, RoundTrip) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a";
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, size_t{1000000}}) {
    const std::string text(size, 'x');
    write_file(file, text);
    EXPECT_EQ(read_text(file), text);
    EXPECT_EQ(read_file(file).size(), size);
  }
  EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(Files, KeepsZeroBytes) {
  const TemporaryFolder folder;
  const std::string text("a\0b\n", 4);
  write_file(folder.path() / "a", text);
  EXPECT_EQ(read_text(folder.path() / "a"), text);
}

TEST(Files, ReadsFilesThatDoNotTellTheirSize) {
  EXPECT_THAT(read_text("/proc/self/status"), HasSubstr("Pid:"));
}

TEST(Files, NamesWhatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_ERROR(read_file(folder.path() / "none"),
               NotFound,
               AllOf(HasSubstr("none"), HasSubstr("No such file")));
  EXPECT_ERROR(read_file(folder.path()), Io, HasSubstr("directory"));
  EXPECT_ERROR(write_file(folder.path() / "none" / "a", "x"), NotFound, HasSubstr("none/a"));
}

TEST(Files, WritesInTheWorkingFolder) {
  const TemporaryFolder folder;
  EXPECT_EQ(in_child([&] {
              std::filesystem::current_path(folder.path());
              write_file("bare", "x");
              return read_text("bare") == "x" ? kFine : kWrong;
            }),
            kFine);
  EXPECT_EQ(read_text(folder.path() / "bare"), "x");
}

TEST(Files, AFailedRenameLeavesNothingBehind) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "taken" / "inside");
  EXPECT_ERROR(write_file(folder.path() / "taken", "x"), Io, HasSubstr("taken"));
  EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(Files, AWriteOverTheLimitKeepsTheOldFile) {
  const TemporaryFolder folder;
  write_file(folder.path() / "state", "old");
  EXPECT_EQ(in_child([&] {
              ::signal(SIGXFSZ, SIG_IGN);
              const rlimit limit = {100000, 100000};
              ::setrlimit(RLIMIT_FSIZE, &limit);
              return check_failing_write(folder.path(), "File too large");
            }),
            kFine);
}

TEST(Files, AFullDiskKeepsTheOldFile) {
  const TemporaryFolder folder;
  const int result = in_child([&] {
    const char* mount_point = folder.path().c_str();
    if (::unshare(CLONE_NEWNS | (::geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", mount_point, "tmpfs", 0, "size=256k") != 0) {
      return kNotAllowed;
    }
    write_file(folder.path() / "state", "old");
    return check_failing_write(folder.path(), "No space left");
  });
  if (result == kNotAllowed) {
    GTEST_SKIP() << "this machine does not let us mount a small disk";
  }
  EXPECT_EQ(result, kFine);
}

TEST(Files, AnUncommittedAtomicFileVanishes) {
  const TemporaryFolder folder;
  const auto target = folder.path() / "checkpoint.h5";
  write_file(target, "old");
  {
    const AtomicFile file(target);
    EXPECT_EQ(file.path().parent_path(), target.parent_path());
    std::ofstream(file.path()) << "half";
    EXPECT_EQ(entries(folder.path()), 2U);
  }
  EXPECT_EQ(read_text(target), "old");
  EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(Files, ACommittedAtomicFileReplacesTheOld) {
  const TemporaryFolder folder;
  const auto target = folder.path() / "checkpoint.h5";
  write_file(target, "old");
  {
    AtomicFile file(target);
    std::ofstream(file.path()) << "new";
    EXPECT_EQ(read_text(target), "old");
    file.commit();
    EXPECT_ERROR(file.commit(), Internal, HasSubstr("once"));
  }
  EXPECT_EQ(read_text(target), "new");
  EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(Files, CommittingWhatWasNeverWrittenIsAnError) {
  const TemporaryFolder folder;
  AtomicFile file(folder.path() / "a");
  EXPECT_ERROR(file.commit(), NotFound, HasSubstr("/a'"));
}

TEST(Files, AReaderNeverSeesHalfAFile) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a";
  const std::string first(200000, 'a');
  const std::string second(100000, 'b');
  write_file(file, first);
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) {
      write_file(file, i % 2 == 0 ? second : first);
    }
  });
  for (int i = 0; i < 200; ++i) {
    const std::string seen = read_text(file);
    EXPECT_TRUE(seen == first || seen == second);
  }
  writer.join();
}

TEST(Files, TemporaryFoldersAreDistinctAndRemoved) {
  std::filesystem::path path;
  {
    const TemporaryFolder one;
    const TemporaryFolder two;
    path = one.path();
    EXPECT_NE(one.path(), two.path());
    EXPECT_TRUE(std::filesystem::is_empty(path));
    std::filesystem::create_directories(path / "a" / "b");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace coppice::core
