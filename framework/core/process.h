#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace coppice::core {

struct ProcessOptions {
  std::vector<std::string> command = {};                ///< program and arguments; no shell
  std::map<std::string, std::string> environment = {};  ///< added to ours
  std::filesystem::path working_folder = {};            ///< ours when empty
  /// Called for every line the child writes to stdout, without its end; when empty, stdout goes
  /// where ours goes. stdin is empty. An exception from it ends the child and passes through.
  std::function<void(std::string_view)> on_line = {};
  /// Between SIGTERM and SIGKILL when this process is interrupted.
  std::chrono::milliseconds grace{10'000};
  /// Ends the child as an interruption does, but run_process() then returns how it ended.
  std::stop_token stop = {};
  /// Takes the child's stderr, written anew; when empty, stderr goes where ours goes.
  std::filesystem::path stderr_file = {};
};

struct ProcessResult {
  int exit_code = 0;    ///< 128 + signal when it was killed
  bool killed = false;  ///< ended by a signal
};

/// Runs a program to its end. When this process is interrupted meanwhile, the child is sent
/// SIGTERM, and SIGKILL after the grace; then Error{Interrupted} is thrown. A child never
/// outlives this process (PR_SET_PDEATHSIG). Throws Error{NotFound} when the program can't be
/// started. A relative `command[0]` with a slash is meant from our working folder, one without is
/// looked up in PATH.
ProcessResult run_process(const ProcessOptions& options);

/// The folder of this program's executable, to find its siblings.
std::filesystem::path executable_folder();

}  // namespace coppice::core
