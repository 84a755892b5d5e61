#include "system/program.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"

namespace coppice::testing {

namespace {

/// Between fork and exec.
[[noreturn]] void become(char* const* arguments,
                         const char* working_folder,
                         const char* out,
                         const char* error,
                         int64_t largest_file_bytes) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it ends with the test, however that ends
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(::open(out, O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
  ::dup2(::open(error, O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
  if (largest_file_bytes > 0) {
    const auto bytes = static_cast<rlim_t>(largest_file_bytes);
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);  // then writing fails, instead of killing the process
  }
  if (*working_folder == '\0' || ::chdir(working_folder) == 0) {
    ::execv(arguments[0], arguments);
  }
  ::_exit(127);
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text.substr(text.rfind('\n') + 1);  // npos + 1 is 0
}

}  // namespace

Program::Program(std::vector<std::string> command, const StartOptions& options) {
  std::vector<char*> arguments;
  for (std::string& word : command) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const std::string folder = options.working_folder.string();
  const std::string out = streams_.path() / "out";
  const std::string error = streams_.path() / "error";
  pid_ = ::fork();
  COPPICE_CHECK(pid_ >= 0, "a process can be started");
  if (pid_ == 0) {
    become(
        arguments.data(), folder.c_str(), out.c_str(), error.c_str(), options.largest_file_bytes);
  }
  ::setpgid(pid_, pid_);  // here too: a signal may be sent before the child has come that far
}

Program::~Program() {
  if (!ended()) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
  }
}

std::string Program::error_so_far() const {
  return core::read_text(streams_.path() / "error");
}

bool Program::ended() {
  ended_ = ended_ || ::waitpid(pid_, &status_, WNOHANG) == pid_;
  return ended_;
}

void Program::signal_all(int signal_number) {
  ::kill(-pid_, signal_number);
}

void Program::signal(int signal_number) {
  if (!ended()) {
    ::kill(pid_, signal_number);
  }
}

Outcome Program::wait() {
  while (!ended()) {
    pause();
  }
  return {WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_),
          core::read_text(streams_.path() / "out"),
          core::read_text(streams_.path() / "error")};
}

Outcome run_program(std::vector<std::string> command, const StartOptions& options) {
  return Program(std::move(command), options).wait();
}

void expect_error_line(const Outcome& outcome,
                       int exit_code,
                       const ::testing::Matcher<const std::string&>& message) {
  EXPECT_EQ(std::count(outcome.error.begin(), outcome.error.end(), '\n'), 1) << outcome.error;
  expect_last_error_line(outcome, exit_code, message);
}

void expect_last_error_line(const Outcome& outcome,
                            int exit_code,
                            const ::testing::Matcher<const std::string&>& message) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.error;
  const std::string line = last_line(outcome.error);
  EXPECT_THAT(line, ::testing::StartsWith("error: "));
  EXPECT_THAT(line, message);
  EXPECT_EQ(outcome.error.find("error: "), outcome.error.rfind("error: ")) << outcome.error;
}

void pause() {
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

}  // namespace coppice::testing
