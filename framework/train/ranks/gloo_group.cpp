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

StorePtr serve_store(const Placement& placement, milliseconds patience) {
  try {
    return open_store(placement, true, patience);
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
StorePtr find_store(const Placement& placement, milliseconds patience) {
  const core::Stopwatch watch;
  for (;;) {
    core::throw_if_interrupted();
    try {
      return open_store(placement, false, std::min(patience, kTry));
    } catch (const std::exception& error) {
      if (watch.seconds() * 1000 > static_cast<double>(patience.count())) {
        throw core::Error(
            core::ErrorKind::NotFound,
            fmt::format("rank {} found no rank 0 at {}:{} in {} s ({}): was it started, and do "
                        "MASTER_ADDR and MASTER_PORT name its machine?",
                        placement.rank,
                        placement.host,
                        placement.port,
                        patience.count() / 1000,
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

/// Throws Error{NotFound} naming those that are missing.
void wait_for_all(Board& board, const Placement& placement, milliseconds patience) {
  const auto joined = [](int64_t rank) {
    return fmt::format("coppice/joined/{}", rank);
  };
  board.add(joined(placement.rank), 1);
  const core::Stopwatch watch;
  for (;;) {
    std::vector<int64_t> missing;
    for (int64_t rank = 0; rank < placement.ranks; ++rank) {
      if (board.add(joined(rank), 0) == 0) {
        missing.push_back(rank);
      }
    }
    if (missing.empty()) {
      return;
    }
    if (watch.seconds() * 1000 > static_cast<double>(patience.count())) {
      throw core::Error(core::ErrorKind::NotFound,
                        fmt::format("of {} ranks, {} did not come to {}:{} in {} s; were all of "
                                    "them started?",
                                    placement.ranks,
                                    fmt::join(missing, ", "),
                                    placement.host,
                                    placement.port,
                                    patience.count() / 1000));
    }
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
  GlooGroup(const Placement& placement, const JoinOptions& options)
      : placement_(placement),
        store_(placement.rank == 0 ? serve_store(placement, options.patience)
                                   : find_store(placement, options.patience)),
        board_(store_) {
    wait_for_all(board_, placement, options.patience);
    // A blocking call holds a store's lock: one connection for each thread.
    watch_ = std::make_unique<Watch>(
        std::make_shared<StoreBoard>(find_store(placement, options.patience)), placement, options);
    auto gloo = c10d::ProcessGroupGloo::Options::create(kCollectiveTimeout);
    gloo->devices.push_back(make_device(placement));
    gloo_ = c10::make_intrusive<c10d::ProcessGroupGloo>(
        store_, static_cast<int>(placement.rank), static_cast<int>(placement.ranks), gloo);
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
    watch_->check();
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
    watch_->explain(broken);
  }

  void leave() override {
    watch_->stop();
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
        watch_->check();
      }
    }
    work->wait();
  }

  Placement placement_;
  StorePtr store_;
  StoreBoard board_;
  std::unique_ptr<Watch> watch_;
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
