#include "coppice/run_apart.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"

namespace coppice::tools {

namespace {

using core::Error;
using core::ErrorKind;

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return;  // the parent is gone: nobody is left to tell
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
}

std::string read_to_end(int descriptor) {
  std::string text;
  char block[1 << 16];
  while (true) {
    const ssize_t count = ::read(descriptor, block, sizeof block);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return text;
    }
    text.append(block, static_cast<size_t>(count));
  }
}

/// One character for what happened ('.' or the kind of an error), then the text.
std::string told_by(const std::function<std::string()>& work) {
  try {
    return "." + work();
  } catch (const Error& error) {
    return static_cast<char>('A' + static_cast<int>(error.kind())) + std::string(error.what());
  } catch (const std::exception& error) {
    return static_cast<char>('A' + static_cast<int>(ErrorKind::Internal)) +
           std::string(error.what());
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

std::string run_apart(const std::function<std::string()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) {
    throw Error(ErrorKind::Io, fmt::format("can't make a pipe: {}", std::strerror(errno)));
  }
  const pid_t child = ::fork();
  if (child < 0) {
    throw Error(ErrorKind::Io, fmt::format("can't start a process: {}", std::strerror(errno)));
  }
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    ::close(ends[0]);
    write_all(ends[1], told_by(work));
    ::_exit(0);
  }
  ::close(ends[1]);
  const std::string told = read_to_end(ends[0]);
  ::close(ends[0]);
  const int status = wait_for(child);
  if (WIFSIGNALED(status)) {
    const int signal_number = WTERMSIG(status);
    if (signal_number == SIGINT || signal_number == SIGTERM) {
      throw Error(ErrorKind::Interrupted, "interrupted");
    }
    throw Error(ErrorKind::Internal,
                fmt::format("the process that measures was killed: {}", strsignal(signal_number)));
  }
  if (told.empty()) {
    throw Error(ErrorKind::Internal, "the process that measures ended without a word");
  }
  if (told.front() != '.') {
    throw Error(static_cast<ErrorKind>(told.front() - 'A'), told.substr(1));
  }
  return told.substr(1);
}

int64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  std::string key;
  while (status >> key) {
    if (int64_t kilobytes = 0; key == "VmHWM:" && status >> kilobytes) {
      return kilobytes * 1024;
    }
    status.ignore(1 << 20, '\n');
  }
  return 0;
}

}  // namespace coppice::tools
