#include "jobs/ranks.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/file_descriptor.h"
#include "jobs/executor.h"

namespace coppice::jobs {

namespace {

constexpr int64_t kMostLocalRanks = 1024;
/// For the others to find out and to say so.
constexpr std::chrono::seconds kLastWords{20};

/// One that nobody listens on now; another program could take it before rank 0 does.
int free_port() {
  const core::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!socket || ::bind(socket.get(), generic, size) != 0 ||
      ::getsockname(socket.get(), generic, &size) != 0) {
    throw core::Error(
        core::ErrorKind::Io,
        fmt::format("cannot find a free port for ranks to meet at: {}", std::strerror(errno)));
  }
  return ntohs(address.sin_port);
}

/// How the ranks end.
class RankEnds {
 public:
  void run(int64_t rank, core::ProcessOptions options) {
    options.stop = stop_.get_token();
    try {
      const core::ProcessResult result = core::run_process(options);
      if (result.exit_code != 0) {
        const std::lock_guard lock(mutex_);
        if (!failed_) {
          failed_ = FailedRank{rank, result};
        }
        stop_.request_stop();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = error_ ? error_ : std::current_exception();
      stop_.request_stop();
    }
  }

  std::optional<FailedRank> result() const {
    if (error_) {
      std::rethrow_exception(error_);
    }
    return failed_;
  }

 private:
  std::mutex mutex_;
  std::stop_source stop_;
  std::optional<FailedRank> failed_;
  std::exception_ptr error_;
};

}  // namespace

LocalLaunch parse_launch(std::string_view text) {
  constexpr std::string_view kLocal = "local";
  if (text == kLocal) {
    return {};
  }
  int64_t ranks = 0;
  if (text.starts_with(kLocal) && text.size() > kLocal.size() && text[kLocal.size()] == ':') {
    const std::string_view count = text.substr(kLocal.size() + 1);
    const char* end = count.data() + count.size();
    const auto [read, error] = std::from_chars(count.data(), end, ranks);
    ranks = error == std::errc() && read == end ? ranks : 0;
  }
  if (ranks < 1 || ranks > kMostLocalRanks) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("'{}' is no way to launch: write local:N for N processes (1 to "
                                  "{}) of this machine that train together",
                                  text,
                                  kMostLocalRanks));
  }
  return {ranks};
}

std::filesystem::path rank_errors(const std::filesystem::path& folder, int64_t rank) {
  return folder / (rank == 0 ? "stderr.txt" : fmt::format("stderr.{}.txt", rank));
}

std::optional<FailedRank> run_ranks(core::ProcessOptions program,
                                    const std::filesystem::path& folder,
                                    int64_t ranks) {
  program.environment["WORLD_SIZE"] = fmt::format("{}", ranks);
  program.environment["LOCAL_WORLD_SIZE"] = fmt::format("{}", ranks);
  program.environment["MASTER_ADDR"] = "127.0.0.1";
  program.environment["MASTER_PORT"] = fmt::format("{}", free_port());
  program.grace = kLastWords;
  RankEnds ends;
  {
    std::vector<std::jthread> threads;
    for (int64_t rank = 0; rank < ranks; ++rank) {
      core::ProcessOptions options = program;
      options.environment["RANK"] = fmt::format("{}", rank);
      options.environment["LOCAL_RANK"] = fmt::format("{}", rank);
      options.stderr_file = rank_errors(folder, rank);
      if (rank > 0) {
        options.on_line = [](std::string_view) {
        };
      }
      threads.emplace_back(
          [&ends, rank, options = std::move(options)] { ends.run(rank, options); });
    }
  }
  return ends.result();
}

}  // namespace coppice::jobs
