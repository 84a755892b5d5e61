#include "train/ranks/watch.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "core/clock.h"
#include "jobs/error_line.h"
#include "train/ranks/silence.h"

namespace coppice::train {

namespace {

constexpr int kPausedBeats = 4;    ///< without a round: this process was stopped
constexpr double kAfterBreak = 4;  ///< seconds of silence that tell who broke a connection
constexpr std::chrono::seconds kFarewell{1};
constexpr const char* kEnds = "coppice/ends";
constexpr const char* kReason = "coppice/reason";
constexpr std::string_view kGoesOn =
    "started again in the same folder, the job goes on from its last checkpoint";

double seconds_of(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string beats_of(int64_t rank) {
  return fmt::format("coppice/beats/{}", rank);
}

/// Of "3: error: numeric: the loss …", as say_why() leaves it.
core::Error to_reason(const std::string& text) {
  const size_t colon = std::min(text.find(": "), text.size());
  const core::Error told = jobs::parse_error_lines(text.substr(std::min(colon + 2, text.size())));
  return {told.kind(), fmt::format("rank {}: {}", text.substr(0, colon), told.what())};
}

}  // namespace

bool has_come(Board& board, int64_t rank) {
  return board.add(beats_of(rank), 0) > 0;
}

void say_goodbye(Board& board, const Placement& placement) {
  board.add(beats_of(placement.rank), Silence::kLeft);
}

void say_why(Board& board, const Placement& placement, const core::Error& error) {
  if (board.add(kEnds, 1) == 1) {
    board.write(kReason, fmt::format("{}: {}", placement.rank, jobs::to_error_line(error)));
  }
}

struct Watch::State {
  std::shared_ptr<Board> board;
  Placement placement;
  JoinOptions options;
  core::Stopwatch clock;

  std::mutex mutex;
  std::condition_variable changed;
  Silence silence;
  double limit = 0;                    ///< of silence, in seconds
  double asked = 0;                    ///< when the last round ended
  std::optional<double> asking_since;  ///< while there is one
  bool stopped = false;
  bool ended = false;    ///< the thread
  bool noticed = false;  ///< by the thread that trains
  std::optional<core::Error> over;

  State(std::shared_ptr<Board> a_board, const Placement& a_placement, const JoinOptions& choices)
      : board(std::move(a_board)),
        placement(a_placement),
        options(choices),
        silence(placement.ranks),
        limit(seconds_of(options.silence)) {}

  core::Error gone(int64_t rank) const {
    return {core::ErrorKind::Internal,
            fmt::format("rank {} of {} is lost{} (killed, out of memory, or its machine is gone); "
                        "{}",
                        rank,
                        placement.ranks,
                        rank == 0 ? fmt::format(", at {}:{}", placement.host, placement.port) : "",
                        kGoesOn)};
  }

  /// REQUIRES: the mutex.
  void end(const core::Error& error) {
    if (!over) {
      over.emplace(error);
      changed.notify_all();
    }
  }

  /// REQUIRES: the mutex.
  void judge() {
    const double now = clock.seconds();
    if (asking_since && now - *asking_since > limit) {
      end(gone(0));  // whose board does not answer
    } else if (const auto lost = silence.lost(now, limit); lost && !asking_since) {
      end(gone(*lost));
    }
  }

  void begin_round() {
    const std::lock_guard lock(mutex);
    asking_since = clock.seconds();
    if (*asking_since - asked > kPausedBeats * seconds_of(options.beat)) {
      silence.forgive(*asking_since);  // the others may have been stopped as well
    }
  }

  /// The mutex is free while the board takes its time.
  void ask() {
    begin_round();
    board->add(beats_of(placement.rank), 1);
    std::vector<int64_t> beats;
    for (int64_t rank = 0; rank < placement.ranks; ++rank) {
      beats.push_back(board->add(beats_of(rank), 0));
    }
    const auto reason = board->read(kReason);
    const std::lock_guard lock(mutex);
    asking_since.reset();
    asked = clock.seconds();
    for (int64_t rank = 0; rank < placement.ranks; ++rank) {
      silence.hear(rank, beats[static_cast<size_t>(rank)], asked);
    }
    if (reason) {
      end(to_reason(*reason));
    }
    judge();
  }

  void ask_or_end() {
    try {
      ask();
    } catch (const std::exception&) {
      const std::lock_guard lock(mutex);
      asking_since.reset();
      end(gone(0));  // which keeps the board
    }
  }

  /// The job is over: whoever trains has as long to notice as others have to be silent.
  void wait_until_noticed(std::unique_lock<std::mutex>& lock) {
    changed.wait_for(lock, options.silence, [&] { return stopped || noticed; });
    if (!stopped && !noticed && options.when_unheard) {
      const core::Error error = *over;
      lock.unlock();
      options.when_unheard(error);
      lock.lock();
    }
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!stopped && !over) {
      lock.unlock();
      ask_or_end();
      lock.lock();
      changed.wait_for(lock, options.beat, [&] { return stopped || over; });
    }
    if (over) {
      wait_until_noticed(lock);
    }
    ended = true;
    changed.notify_all();
  }
};

Watch::Watch(std::shared_ptr<Board> board, const Placement& placement, const JoinOptions& options)
    : state_(std::make_shared<State>(std::move(board), placement, options)) {
  std::thread([state = state_] { state->run(); }).detach();
}

Watch::~Watch() {
  stop();
}

void Watch::stop() {
  std::unique_lock lock(state_->mutex);
  state_->stopped = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, kFarewell, [&] { return state_->ended; });
}

void Watch::check() {
  const std::lock_guard lock(state_->mutex);
  state_->judge();
  if (state_->over) {
    state_->noticed = true;
    state_->changed.notify_all();
    throw core::Error(*state_->over);
  }
}

void Watch::explain(const std::string& broken) {
  {
    std::unique_lock lock(state_->mutex);
    state_->limit = std::min(state_->limit, kAfterBreak);
    const std::chrono::duration<double> longest(state_->limit +
                                                2 * seconds_of(state_->options.beat));
    state_->changed.wait_for(lock, longest, [&] { return state_->over.has_value(); });
  }
  check();
  throw core::Error(core::ErrorKind::Io,
                    fmt::format("the connection to another rank broke: {}; {}", broken, kGoesOn));
}

}  // namespace coppice::train
