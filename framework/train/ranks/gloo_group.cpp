// The only source that sees c10d, whose headers include all of ATen.

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <thread>

#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include "core/clock.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "train/ranks/rank_group.h"
#include "train/ranks/watch.h"

namespace coppice::train {

namespace {

using std::chrono::milliseconds;
using StorePtr = c10::intrusive_ptr<c10d::Store>;

/// Ranks that live wait for one another as long as it takes; those that do not, Watch finds.
constexpr milliseconds kCollectiveTimeout = std::chrono::hours(24);
constexpr milliseconds kPoll{20};
constexpr milliseconds kTry{2000};
constexpr milliseconds kSlice{500};
constexpr std::chrono::seconds kFarewell{5};
constexpr double kQuietWait = 1;  // seconds before it is worth a line
constexpr const char* kLeft = "coppice/left";
constexpr const char* kHeard = "coppice/heard";

std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

StorePtr open_store(const Placement& placement, bool serve, milliseconds patience) {
  c10d::TCPStoreOptions options;
  options.port = placement.port;
  options.isServer = serve;
  options.waitWorkers = false;
  options.timeout = patience;
  return c10::make_intrusive<c10d::TCPStore>(placement.host, options);
}

StorePtr serve_store(const Placement& placement) {
  try {
    return open_store(placement, true, std::chrono::seconds(placement.patience));
  } catch (const std::exception& error) {
    throw core::Error(core::ErrorKind::Io,
                      fmt::format("rank 0 cannot listen at {}:{}: {}; set another MASTER_PORT",
                                  placement.host,
                                  placement.port,
                                  first_line(error)));
  }
}

/// Tries again and again, so that an interrupt is heard: a connect that a signal breaks off is no
/// other failure to c10d.
StorePtr find_store(const Placement& placement) {
  const core::Stopwatch watch;
  for (;;) {
    core::throw_if_interrupted();
    try {
      return open_store(placement, false, kTry);
    } catch (const std::exception& error) {
      if (watch.seconds() > static_cast<double>(placement.patience)) {
        throw core::Error(
            core::ErrorKind::NotFound,
            fmt::format("rank {} found no rank 0 at {}:{} in {} s ({}): was it started, and do "
                        "MASTER_ADDR and MASTER_PORT name its machine? COPPICE_JOIN_SECONDS=N in "
                        "the environment waits longer",
                        placement.rank,
                        placement.host,
                        placement.port,
                        placement.patience,
                        first_line(error)));
      }
      std::this_thread::sleep_for(kPoll);
    }
  }
}

/// A connection to the store.
class StoreBoard final : public Board {
 public:
  explicit StoreBoard(StorePtr store) : store_(std::move(store)) {}

  int64_t add(const std::string& counter, int64_t value) override {
    return store_->add(counter, value);
  }

  void write(const std::string& note, const std::string& text) override {
    store_->set(note, std::vector<uint8_t>(text.begin(), text.end()));
  }

  std::optional<std::string> read(const std::string& note) override {
    if (!store_->check({note})) {
      return std::nullopt;
    }
    const std::vector<uint8_t> bytes = store_->get(note);
    return std::string(bytes.begin(), bytes.end());
  }

 private:
  StorePtr store_;
};

std::vector<int64_t> missing_ranks(Board& board, int64_t ranks) {
  std::vector<int64_t> missing;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    if (!has_come(board, rank)) {
      missing.push_back(rank);
    }
  }
  return missing;
}

/// Throws Error{NotFound} naming those that are missing, or why the job is over already.
void wait_for_all(Board& board, Watch& watch, const Placement& placement) {
  core::Stopwatch since_arrival;
  bool told = false;
  size_t expected = static_cast<size_t>(placement.ranks);
  for (;;) {
    const std::vector<int64_t> missing = missing_ranks(board, placement.ranks);
    if (missing.empty()) {
      return;
    }
    if (missing.size() < expected) {
      expected = missing.size();
      since_arrival = {};
      told = false;
    }
    if (!told && since_arrival.seconds() > kQuietWait) {
      fmt::print(stderr,
                 "rank {} of {} waits for rank{} {} at {}:{}\n",
                 placement.rank,
                 placement.ranks,
                 missing.size() > 1 ? "s" : "",
                 fmt::join(missing, ", "),
                 placement.host,
                 placement.port);
      told = true;
    }
    if (since_arrival.seconds() > static_cast<double>(placement.patience)) {
      throw core::Error(core::ErrorKind::NotFound,
                        fmt::format("of {} ranks, {} did not come to {}:{} within {} s of the "
                                    "last; were all of them started? COPPICE_JOIN_SECONDS=N in "
                                    "the environment waits longer",
                                    placement.ranks,
                                    fmt::join(missing, ", "),
                                    placement.host,
                                    placement.port,
                                    placement.patience));
    }
    watch.check();
    core::throw_if_interrupted();
    std::this_thread::sleep_for(kPoll);
  }
}

std::shared_ptr<gloo::transport::Device> make_device(const Placement& placement) {
  if (is_loopback(placement.host)) {
    return c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  }
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  return interface != nullptr ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                              : c10d::ProcessGroupGloo::createDefaultDevice();
}

class GlooGroup final : public RankGroup {
 public:
  // A blocking call holds a store's lock: one connection for each thread.
  GlooGroup(const Placement& placement, const JoinOptions& options)
      : placement_(placement),
        store_(placement.rank == 0 ? serve_store(placement) : find_store(placement)),
        board_(store_),
        watch_(std::make_shared<StoreBoard>(find_store(placement)), placement, options) {
    try {
      meet();
    } catch (const core::Error& error) {
      abandon(error);
      throw;
    } catch (const std::exception& error) {
      watch_.explain(first_line(error));
    }
  }

  ~GlooGroup() override {
    if (!left_) {
      // Their destructors wait for collectives that never end.
      gloo_.release();
#ifdef USE_C10D_NCCL
      nccl_.release();
#endif
    }
  }

  GlooGroup(const GlooGroup&) = delete;
  GlooGroup& operator=(const GlooGroup&) = delete;

  const Placement& placement() const override {
    return placement_;
  }

  void sum(at::Tensor& values) override {
    watch_.check();
    std::string broken;
    try {
      std::vector<at::Tensor> tensors{values};
      wait(values.is_cuda() ? sum_on_gpus(tensors) : gloo_->allreduce(tensors));
      return;
    } catch (const core::Error&) {
      throw;
    } catch (const std::exception& error) {
      broken = first_line(error);
    }
    watch_.explain(broken);
  }

  void leave() override {
    watch_.stop();
    left_ = true;
    say_goodbye(board_, placement_);
    wait_as_host(kLeft);
  }

  void abandon(const core::Error& error) override {
    try {
      say_why(board_, placement_, error);
      wait_as_host(kHeard);
    } catch (const std::exception&) {
      // The store has gone, and rank 0 with it: the others notice that too.
    }
  }

 private:
  void meet() {
    wait_for_all(board_, watch_, placement_);
    auto gloo = c10d::ProcessGroupGloo::Options::create(kCollectiveTimeout);
    gloo->devices.push_back(make_device(placement_));
    gloo_ = c10::make_intrusive<c10d::ProcessGroupGloo>(
        store_, static_cast<int>(placement_.rank), static_cast<int>(placement_.ranks), gloo);
  }

  /// Rank 0 stays until all others say that they don't need its store any more.
  void wait_as_host(const char* counter) {
    int64_t count = board_.add(counter, 1);
    const core::Stopwatch watch;
    while (placement_.rank == 0 && count < placement_.ranks &&
           watch.seconds() < static_cast<double>(kFarewell.count())) {
      std::this_thread::sleep_for(kPoll);
      count = board_.add(counter, 0);
    }
  }

  c10::intrusive_ptr<c10d::Work> sum_on_gpus(std::vector<at::Tensor>& tensors) {
#ifdef USE_C10D_NCCL
    if (!nccl_) {
      nccl_ = c10::make_intrusive<c10d::ProcessGroupNCCL>(
          store_, static_cast<int>(placement_.rank), static_cast<int>(placement_.ranks));
    }
    return nccl_->allreduce(tensors);
#else
    return gloo_->allreduce(tensors);
#endif
  }

  /// In slices, as what never completes must not hide that the job is over.
  void wait(const c10::intrusive_ptr<c10d::Work>& work) {
    while (!work->isCompleted()) {
      try {
        work->wait(kSlice);
      } catch (const std::exception&) {
        if (work->isCompleted()) {
          throw;
        }
        watch_.check();
      }
    }
    work->wait();
  }

  Placement placement_;
  StorePtr store_;
  StoreBoard board_;
  Watch watch_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_;
#ifdef USE_C10D_NCCL
  c10::intrusive_ptr<c10d::ProcessGroupNCCL> nccl_;
#endif
  bool left_ = false;
};

}  // namespace

std::unique_ptr<RankGroup> join_ranks(const Placement& placement, const JoinOptions& options) {
  return std::make_unique<GlooGroup>(placement, options);
}

}  // namespace coppice::train
