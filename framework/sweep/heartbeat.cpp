#include "sweep/heartbeat.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "jobs/database.h"
#include "sweep/trial_store.h"

namespace coppice::sweep {

struct Heartbeat::State {
  jobs::Database database;
  int64_t number;
  std::string worker;
  const core::Clock& clock;
  std::chrono::milliseconds lease;
  std::atomic<bool> lost = false;
  bool stopped = false;
  std::mutex mutex;
  std::condition_variable stop;
  std::thread thread;

  State(const std::filesystem::path& file,
        int64_t given_number,
        std::string given_worker,
        const core::Clock& given_clock,
        std::chrono::milliseconds given_lease)
      : database(file),
        number(given_number),
        worker(std::move(given_worker)),
        clock(given_clock),
        lease(given_lease) {}

  void beat() {
    try {
      lost = !renew_trial(database, number, worker, core::to_millis(clock.now()) + lease.count());
    } catch (const core::Error& error) {
      // The next beat may succeed; if none does, the lease runs out, which is what it is for.
      core::log_warning(fmt::format("can't renew trial {}: {}", number, error.what()));
    }
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!lost && !stop.wait_for(lock, lease / 3, [this] { return stopped; })) {
      beat();
    }
  }
};

Heartbeat::Heartbeat(const std::filesystem::path& database,
                     int64_t number,
                     const std::string& worker,
                     const core::Clock& clock,
                     std::chrono::milliseconds lease)
    : state_(std::make_unique<State>(database, number, worker, clock, lease)) {
  state_->beat();
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Heartbeat::~Heartbeat() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopped = true;
  }
  state_->stop.notify_all();
  state_->thread.join();
}

bool Heartbeat::lost() const {
  return state_->lost;
}

}  // namespace coppice::sweep
