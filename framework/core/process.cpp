#include "core/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file_descriptor.h"
#include "core/interrupt.h"

extern "C" char** environ;

namespace coppice::core {

namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr int kExecFailed = 127;

/// Where `exec` would find it; searched before the fork, since after it little may be called
/// safely.
std::filesystem::path find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return std::filesystem::absolute(name);
  }
  const char* variable = std::getenv("PATH");
  std::string_view folders = variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin";
  while (!folders.empty()) {
    const size_t end = std::min(folders.find(':'), folders.size());
    const auto candidate = std::filesystem::absolute(folders.substr(0, end)) / name;
    std::error_code error;
    if (std::filesystem::is_regular_file(candidate, error) &&
        ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  throw Error(ErrorKind::NotFound, fmt::format("can't run '{}': not found in PATH", name));
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!added.contains(std::string(text.substr(0, text.find('='))))) {
      result.emplace_back(text);
    }
  }
  for (const auto& [name, value] : added) {
    result.push_back(name + "=" + value);
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) {
    result.push_back(string.data());
  }
  result.push_back(nullptr);
  return result;
}

/// Out of the way of stdin, stdout and stderr, which the child puts in place; they may be closed
/// here.
FileDescriptor above_standard(int fd) {
  FileDescriptor low(fd);
  if (fd > STDERR_FILENO) {
    return low;
  }
  FileDescriptor high(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!high) {
    throw Error(ErrorKind::Io, fmt::format("can't copy a file handle: {}", std::strerror(errno)));
  }
  return high;
}

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;

  Pipe() {
    std::array<int, 2> ends = {};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw Error(ErrorKind::Io, fmt::format("can't make a pipe: {}", std::strerror(errno)));
    }
    read_end = above_standard(ends[0]);
    write_end = above_standard(ends[1]);
  }
};

/// None when no file is named.
FileDescriptor open_errors(const std::filesystem::path& file) {
  if (file.empty()) {
    return {};
  }
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) {
    throw file_error("write", file, errno);
  }
  return above_standard(fd);
}

/// Everything the child needs, made before the fork.
struct ChildPlan {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const char* working_folder;  ///< or nullptr
  int stdout_fd;               ///< or -1 for ours
  int stderr_fd;               ///< or -1 for ours
  int failure_fd;              ///< takes errno when the program can't be started
  pid_t parent;
};

/// Between fork and exec: system calls only.
[[noreturn]] void become(const ChildPlan& plan) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) {
    ::_exit(kExecFailed);  // the parent died before the line above
  }
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);  // files of ours are not the child's
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null_fd = ::open("/dev/null", O_RDONLY);
  const bool prepared = null_fd >= 0 && ::dup2(null_fd, STDIN_FILENO) >= 0 &&
                        (plan.stdout_fd < 0 || ::dup2(plan.stdout_fd, STDOUT_FILENO) >= 0) &&
                        (plan.stderr_fd < 0 || ::dup2(plan.stderr_fd, STDERR_FILENO) >= 0) &&
                        (plan.working_folder == nullptr || ::chdir(plan.working_folder) == 0);
  if (prepared) {
    ::execve(plan.program, plan.arguments, plan.environment);
  }
  const int error_number = errno;
  [[maybe_unused]] const ssize_t written =
      ::write(plan.failure_fd, &error_number, sizeof error_number);
  ::_exit(kExecFailed);
}

/// A started process: killed and reaped when it goes out of scope before its end.
class Child {
 public:
  explicit Child(const ProcessOptions& options);

  ~Child() {
    if (!ended_) {
      ::kill(pid_, SIGKILL);
      wait(0);
    }
  }

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int output() const { return output_.get(); }

  void close_output() { output_.close(); }

  void send(int signal_number) const { ::kill(pid_, signal_number); }

  bool ended() { return ended_ || wait(WNOHANG); }

  ProcessResult result() const {
    if (!known_) {
      throw Error(ErrorKind::Io, "can't learn how a child process ended: is SIGCHLD ignored?");
    }
    const bool killed = WIFSIGNALED(status_);
    return {killed ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_), killed};
  }

 private:
  bool wait(int flags) {
    pid_t waited = 0;
    do {
      waited = ::waitpid(pid_, &status_, flags);
    } while (waited < 0 && errno == EINTR);
    ended_ = waited != 0;
    known_ = waited > 0;
    return ended_;
  }

  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
  bool known_ = false;  ///< stays so where SIGCHLD is ignored: the kernel keeps no status then
  FileDescriptor output_;
};

Child::Child(const ProcessOptions& options) {
  std::vector<std::string> command = options.command;
  std::vector<std::string> environment = merged_environment(options.environment);
  const std::string program = find_program(command.front()).string();
  const std::vector<char*> arguments = pointers(command);
  const std::vector<char*> variables = pointers(environment);
  const std::string folder = options.working_folder.string();
  std::optional<Pipe> output;
  if (options.on_line) {
    output.emplace();
  }
  const FileDescriptor errors = open_errors(options.stderr_file);
  Pipe failure;
  const ChildPlan plan = {program.c_str(),
                          arguments.data(),
                          variables.data(),
                          folder.empty() ? nullptr : folder.c_str(),
                          output ? output->write_end.get() : -1,
                          errors.get(),
                          failure.write_end.get(),
                          ::getpid()};
  pid_ = ::fork();
  if (pid_ < 0) {
    throw Error(ErrorKind::Io, fmt::format("can't run '{}': {}", program, std::strerror(errno)));
  }
  if (pid_ == 0) {
    become(plan);
  }
  failure.write_end.close();
  int error_number = 0;
  ssize_t count = 0;
  do {
    count = ::read(failure.read_end.get(), &error_number, sizeof error_number);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    wait(0);
    throw Error(ErrorKind::NotFound,
                fmt::format("can't run '{}'{}: {}",
                            program,
                            folder.empty() ? "" : " in '" + folder + "'",
                            std::strerror(error_number)));
  }
  if (output) {
    output_ = std::move(output->read_end);
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  }
}

/// Cuts what is read into lines.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& on_line) : on_line_(on_line) {}

  /// Takes what there is now, up to a limit so that the caller looks up between; false at the end
  /// of the stream.
  bool read(int fd) {
    std::array<char, 65536> buffer;
    for (int piece = 0; piece < kPieces; ++piece) {
      const ssize_t count = ::read(fd, buffer.data(), buffer.size());
      if (count > 0) {
        take(std::string_view(buffer.data(), static_cast<size_t>(count)));
      } else if (count < 0 && errno == EAGAIN) {
        return true;
      } else if (count == 0 || errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  void finish() {
    if (!pending_.empty()) {
      on_line_(pending_);
    }
  }

 private:
  void take(std::string_view text) {
    size_t end = 0;
    while ((end = text.find('\n')) != std::string_view::npos) {
      pending_ += text.substr(0, end);
      const std::string line = std::exchange(pending_, {});
      on_line_(line);
      text.remove_prefix(end + 1);
    }
    pending_ += text;
  }

  static constexpr int kPieces = 32;  ///< more than a pipe can hold

  const std::function<void(std::string_view)>& on_line_;
  std::string pending_;
};

/// Ends the child when this process is interrupted or its caller wants it: politely first.
class Terminator {
 public:
  explicit Terminator(const ProcessOptions& options) : grace_(options.grace), stop_(options.stop) {}

  void check(const Child& child) {
    if ((!interrupted() && !stop_.stop_requested()) || killed_) {
      return;
    }
    if (!asked_) {
      asked_ = true;
      kill_at_ = SteadyClock::now() + grace_;
      child.send(SIGTERM);
    } else if (SteadyClock::now() > kill_at_) {
      killed_ = true;
      child.send(SIGKILL);
    }
  }

 private:
  std::chrono::milliseconds grace_;
  std::stop_token stop_;
  SteadyClock::time_point kill_at_;
  bool asked_ = false;
  bool killed_ = false;
};

}  // namespace

ProcessResult run_process(const ProcessOptions& options) {
  COPPICE_CHECK(!options.command.empty(), "a process needs a program");
  throw_if_interrupted();
  Child child(options);
  Lines lines(options.on_line);
  Terminator terminator(options);
  std::chrono::milliseconds pause{1};
  while (!child.ended()) {
    terminator.check(child);
    if (child.output() < 0) {
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, std::chrono::milliseconds(20));
      continue;
    }
    pollfd waited = {child.output(), POLLIN, 0};
    if (::poll(&waited, 1, 50) > 0 && !lines.read(child.output())) {
      child.close_output();
    }
  }
  if (child.output() >= 0) {
    lines.read(child.output());  // not to its end: a grandchild may hold the pipe open for ever
  }
  lines.finish();
  throw_if_interrupted();
  return child.result();
}

std::filesystem::path executable_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

}  // namespace coppice::core
