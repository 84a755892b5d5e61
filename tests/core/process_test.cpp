#include "core/process.h"

#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/expect_error.h"
#include "core/files.h"
#include "core/interrupt.h"

namespace coppice::core {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::KilledBySignal;

struct Outcome {
  ProcessResult result;
  std::vector<std::string> lines;
};

Outcome run(ProcessOptions options, const std::function<void(std::string_view)>& on_line = {}) {
  Outcome outcome;
  options.on_line = [&](std::string_view line) {
    outcome.lines.emplace_back(line);
    if (on_line) {
      on_line(line);
    }
  };
  outcome.result = run_process(options);
  return outcome;
}

Outcome shell(const std::string& script) {
  return run({.command = {"sh", "-c", script}});
}

TEST(Process, ReadsLinesAndTheExitCode) {
  const Outcome ran = shell("printf 'one\\n\\ntwo'; exit 7");
  EXPECT_THAT(ran.lines, ElementsAre("one", "", "two"));
  EXPECT_EQ(ran.result.exit_code, 7);
  EXPECT_FALSE(ran.result.killed);
}

TEST(Process, ArgumentsAreNotSplitOrExpanded) {
  const Outcome ran = run({.command = {"printf", "%s\\n", "a b", "$HOME", "*"}});
  EXPECT_THAT(ran.lines, ElementsAre("a b", "$HOME", "*"));
  EXPECT_EQ(ran.result.exit_code, 0);
}

TEST(Process, TellsTheSignalThatKilledIt) {
  const ProcessResult result = shell("kill -9 $$").result;
  EXPECT_TRUE(result.killed);
  EXPECT_EQ(result.exit_code, 128 + SIGKILL);
}

TEST(Process, LosesNothingOfALongOutput) {
  const Outcome ran = shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done");
  ASSERT_EQ(ran.lines.size(), 20000U);
  EXPECT_EQ(ran.lines.front(), "line 0");
  EXPECT_EQ(ran.lines.back(), "line 19999");
  EXPECT_THAT(run({.command = {"head", "-c", "300000", "/dev/zero"}}).lines,
              ElementsAre(std::string(300000, '\0')));
}

TEST(Process, EnvironmentIsAddedToOurs) {
  ::setenv("COPPICE_TEST_KEPT", "kept", 1);
  ::setenv("COPPICE_TEST_CHANGED", "old", 1);
  const Outcome ran = run({.command = {"sh", "-c", "echo $COPPICE_TEST_KEPT $COPPICE_TEST_CHANGED"},
                           .environment = {{"COPPICE_TEST_CHANGED", "new"}}});
  EXPECT_THAT(ran.lines, ElementsAre("kept new"));
  EXPECT_STREQ(std::getenv("COPPICE_TEST_CHANGED"), "old");
}

TEST(Process, WorkingFolder) {
  const TemporaryFolder folder;
  write_file(folder.path() / "here", "x");
  EXPECT_THAT(run({.command = {"ls"}, .working_folder = folder.path()}).lines, ElementsAre("here"));
  EXPECT_ERROR(run({.command = {"ls"}, .working_folder = folder.path() / "none"}),
               NotFound,
               AllOf(HasSubstr("ls"), HasSubstr("none")));
}

TEST(Process, StdinIsEmptyAndOurFilesAreNotInherited) {
  EXPECT_THAT(run({.command = {"cat"}}).lines, IsEmpty());
  const int leaked = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as many libraries do
  ASSERT_GE(leaked, 3);
  const Outcome ran = shell("[ -e /proc/$$/fd/" + std::to_string(leaked) + " ] && echo inherited");
  ::close(leaked);
  EXPECT_THAT(ran.lines, IsEmpty());
}

TEST(Process, StderrMayGoToAFile) {
  const TemporaryFolder folder;
  write_file(folder.path() / "errors", "of an earlier run");
  const Outcome ran = run({.command = {"sh", "-c", "echo out; echo failed >&2"},
                           .stderr_file = folder.path() / "errors"});
  EXPECT_THAT(ran.lines, ElementsAre("out"));
  EXPECT_EQ(read_text(folder.path() / "errors"), "failed\n");
  EXPECT_ERROR(run({.command = {"true"}, .stderr_file = folder.path() / "no" / "errors"}),
               NotFound,
               HasSubstr("no/errors"));
}

TEST(Process, NamesAProgramThatCannotRun) {
  EXPECT_ERROR(run({.command = {"coppice-no-such-program"}}),
               NotFound,
               HasSubstr("coppice-no-such-program"));
  EXPECT_ERROR(run({.command = {"/nowhere/program"}}), NotFound, HasSubstr("/nowhere/program"));
  const TemporaryFolder folder;
  write_file(folder.path() / "text", "no program");
  EXPECT_ERROR(run({.command = {(folder.path() / "text").string()}}),
               NotFound,
               HasSubstr("Permission denied"));
}

TEST(Process, DoesNotWaitForGrandchildrenThatKeepThePipe) {
  const Outcome ran = shell("sleep 60 & echo started $!");
  ASSERT_EQ(ran.lines.size(), 1U);
  ::kill(std::stoi(ran.lines[0].substr(8)), SIGKILL);
}

TEST(Process, OutlivesItsOwnStdout) {
  EXPECT_EQ(shell("exec >&-; sleep 0.1; exit 3").result.exit_code, 3);
}

TEST(Process, AnExceptionFromTheReaderEndsTheChild) {
  const TemporaryFolder folder;
  // Short sleeps: the last one outlives the shell, and with it our own stderr stays open.
  ProcessOptions options = {
      .command = {"sh", "-c", "echo x; for i in $(seq 600); do sleep 0.1; done; touch survived"},
      .working_folder = folder.path()};
  options.on_line = [](std::string_view) {
    throw std::runtime_error("reader");
  };
  EXPECT_THROW(run_process(options), std::runtime_error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

/// Exits with 0 when `options`' child was ended by an interruption of this process.
[[noreturn]] void run_interrupted(const ProcessOptions& options) {
  install_interrupt_handler();
  try {
    run(options);
  } catch (const Error& error) {
    std::exit(error.kind() == ErrorKind::Interrupted ? 0 : 1);
  }
  std::exit(2);
}

TEST(Process, InterruptionAsksTheChildToEnd) {
  const ProcessOptions options = {
      .command = {"sh", "-c", "trap 'exit 0' TERM; kill -INT $PPID; while :; do sleep 0.05; done"}};
  EXPECT_EXIT(run_interrupted(options), ExitedWithCode(0), "");
}

TEST(Process, InterruptionKillsAChildThatDoesNotListen) {
  const ProcessOptions options = {
      .command = {"sh", "-c", "trap '' TERM; kill -INT $PPID; exec sleep 60"},
      .grace = std::chrono::milliseconds(100)};
  EXPECT_EXIT(run_interrupted(options), ExitedWithCode(0), "");
}

bool runs(int pid) {
  try {
    const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
    return stat.find(") Z") == std::string::npos;  // a zombie has ended
  } catch (const Error&) {
    return false;
  }
}

TEST(Process, ACallerMayEndTheChildAndLearnsHowItEnded) {
  std::stop_source stop;
  const Outcome ended = run({.command = {"sh",
                                         "-c",
                                         "trap 'echo bye; exit 3' TERM; echo on; "
                                         "while :; do sleep 0.01; done"},
                             .stop = stop.get_token()},
                            [&](std::string_view) { stop.request_stop(); });
  EXPECT_EQ(ended.result.exit_code, 3);
  EXPECT_THAT(ended.lines, ElementsAre("on", "bye"));
}

TEST(Process, AChildDoesNotOutliveUs) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "pid";
  ProcessOptions options = {.command = {"sh", "-c", "echo $$; exec sleep 60"}};
  options.on_line = [&](std::string_view line) {
    write_file(file, line);
    ::raise(SIGKILL);
  };
  EXPECT_EXIT(run_process(options), KilledBySignal(SIGKILL), "");
  const int pid = std::stoi(read_text(file));
  for (int i = 0; i < 1000 && runs(pid); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_FALSE(runs(pid));
}

TEST(Process, KnowsItsOwnFolder) {
  EXPECT_TRUE(std::filesystem::exists(executable_folder() / "test_core"));
}

}  // namespace
}  // namespace coppice::core
