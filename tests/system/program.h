#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <sys/types.h>

#include "core/files.h"

namespace coppice::testing {

/// What a program left when it ended.
struct Outcome {
  int exit_code = 0;  ///< 128 + signal when it was killed
  std::string out;
  std::string error;
};

struct StartOptions {
  std::filesystem::path working_folder = {};
  /// Largest file that it may write (RLIMIT_FSIZE), which then fails as on a full disk; 0: any.
  int64_t largest_file_bytes = 0;
};

/// A running program in a process group of its own, as a shell starts it; killed with all its
/// children at the end of this object's life.
class Program {
 public:
  explicit Program(std::vector<std::string> command, const StartOptions& options = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  bool ended();
  /// What it wrote to stderr so far.
  std::string error_so_far() const;
  /// To it and its children, as Ctrl-C does with SIGINT.
  void signal_all(int signal_number);
  /// To it alone, as the out-of-memory killer does with SIGKILL.
  void signal(int signal_number);
  Outcome wait();

 private:
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
  core::TemporaryFolder streams_;
};

Outcome run_program(std::vector<std::string> command, const StartOptions& options = {});

/// Expects this exit code, nothing but one line on stderr, "error: …", and that `message` accepts
/// it.
void expect_error_line(const Outcome& outcome,
                       int exit_code,
                       const ::testing::Matcher<const std::string&>& message);

/// The same of a program that had begun to work and told of it on stderr before: the error is the
/// last line.
void expect_last_error_line(const Outcome& outcome,
                            int exit_code,
                            const ::testing::Matcher<const std::string&>& message);

/// Waits until `condition` holds; fails the test after a minute.
template <class Condition>
bool wait_until(const Condition& condition);

/// Sleeps a little between two looks.
void pause();

template <class Condition>
bool wait_until(const Condition& condition) {
  for (int look = 0; look < 12000; ++look) {
    if (condition()) {
      return true;
    }
    pause();
  }
  ADD_FAILURE() << "waited in vain";
  return false;
}

}  // namespace coppice::testing
