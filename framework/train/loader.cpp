#include "train/loader.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <numeric>
#include <optional>
#include <stop_token>
#include <thread>

#include <fmt/format.h>

#include "core/error.h"
#include "core/rng.h"

namespace coppice::train {

namespace {

constexpr size_t kAhead = 3;  // batches that may wait

/// Positions in a data set as an endless stream: all of them in a random order, then in another,
/// and so on.
class Rounds {
 public:
  Rounds(int64_t size, const core::Rng& rng) : size_(size), rng_(rng) {}

  std::vector<int64_t> take(int64_t first, int64_t count) {
    std::vector<int64_t> positions;
    positions.reserve(static_cast<size_t>(count));
    for (int64_t k = first; k < first + count; ++k) {
      if (k / size_ != round_) {
        round_ = k / size_;
        order_ = rng_.split(static_cast<uint64_t>(round_)).permutation(size_);
      }
      positions.push_back(order_[static_cast<size_t>(k % size_)]);
    }
    return positions;
  }

 private:
  int64_t size_;
  core::Rng rng_;
  int64_t round_ = -1;
  std::vector<int64_t> order_;
};

void append(const data::Batch& more, data::Batch& batch) {
  batch.samples.insert(batch.samples.end(), more.samples.begin(), more.samples.end());
  batch.labels.insert(batch.labels.end(), more.labels.begin(), more.labels.end());
  batch.ids.insert(batch.ids.end(), more.ids.begin(), more.ids.end());
  batch.targets.insert(batch.targets.end(), more.targets.begin(), more.targets.end());
  batch.size += more.size;
}

}  // namespace

struct Loader::State {
  data::DatasetPtr train;
  data::DatasetPtr replay;
  LoaderOptions options;
  core::Rng rng;
  data::Pipeline pipeline;
  int64_t replayed = 0;   ///< samples per batch
  int64_t steps = 0;      ///< batches per epoch
  int64_t per_epoch = 0;  ///< training samples
  Rounds train_rounds;
  Rounds replay_rounds;

  std::mutex mutex;
  std::condition_variable_any changed;
  std::deque<std::unique_ptr<LoadedBatch>> ready;
  bool finished = true;
  std::exception_ptr failure;
  std::jthread worker;  ///< last: joined before what it uses goes away

  State(data::DatasetPtr train_set, data::DatasetPtr replay_set, LoaderOptions loader_options)
      : train(std::move(train_set)),
        replay(std::move(replay_set)),
        options(std::move(loader_options)),
        rng(core::Rng(options.seed).split("loader")),
        pipeline(options.augmentation, train->schema()),
        train_rounds(train->size(), rng.split("order")),
        replay_rounds(replay ? replay->size() : 0, rng.split("replay")) {
    if (replay) {
      const auto wanted =
          std::llround(static_cast<double>(options.batch_size) * options.replay_share);
      replayed = std::clamp<int64_t>(wanted, 0, options.batch_size - 1);
    }
    const int64_t fresh = options.batch_size - replayed;
    const bool one_pass = options.steps_per_epoch == 0;
    steps = one_pass ? (train->size() + fresh - 1) / fresh : options.steps_per_epoch;
    per_epoch = one_pass ? train->size() : steps * fresh;
  }

  std::unique_ptr<LoadedBatch> load(int64_t epoch, int64_t step) {
    auto loaded = std::make_unique<LoadedBatch>();
    const int64_t begin = per_epoch * step / steps;
    const int64_t fresh = per_epoch * (step + 1) / steps - begin;
    loaded->joint_size = fresh + replayed;
    const BatchShare& share = options.share;
    const int64_t own = share.last(fresh) - share.first(fresh);
    loaded->train_positions =
        train_rounds.take(epoch * per_epoch + begin + share.first(fresh), own);
    train->read(loaded->train_positions, loaded->batch);
    const int64_t own_replayed = share.last(replayed) - share.first(replayed);
    if (own_replayed > 0) {
      loaded->replay_positions = replay_rounds.take(
          (epoch * steps + step) * replayed + share.first(replayed), own_replayed);
      data::Batch more;
      replay->read(loaded->replay_positions, more);
      append(more, loaded->batch);
    }
    if (!pipeline.empty()) {
      augment(loaded->batch, fresh, own, epoch, step);
    }
    return loaded;
  }

  /// Each sample as it would be in the joint batch.
  void augment(data::Batch& batch, int64_t fresh, int64_t own, int64_t epoch, int64_t step) const {
    std::vector<int64_t> numbers(static_cast<size_t>(batch.size));
    const auto replays = numbers.begin() + own;
    std::iota(numbers.begin(), replays, options.share.first(fresh));
    std::iota(replays, numbers.end(), fresh + options.share.first(replayed));
    pipeline.apply(
        batch,
        rng.split("augment").split(static_cast<uint64_t>(epoch)).split(static_cast<uint64_t>(step)),
        numbers);
  }

  void work(const std::stop_token& stop, int64_t epoch, int64_t first_step) {
    for (int64_t step = first_step; step < steps; ++step) {
      auto batch = load(epoch, step);
      std::unique_lock lock(mutex);
      if (!changed.wait(lock, stop, [&] { return ready.size() < kAhead; })) {
        return;
      }
      ready.push_back(std::move(batch));
      changed.notify_all();
    }
  }

  void run(const std::stop_token& stop, int64_t epoch, int64_t first_step) {
    std::exception_ptr error;
    try {
      work(stop, epoch, first_step);
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    failure = error;
    finished = true;
    changed.notify_all();
  }
};

Loader::Loader(data::DatasetPtr train, data::DatasetPtr replay, LoaderOptions options) {
  if (train->size() == 0 || (replay && replay->size() == 0)) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        std::string("the ") + (train->size() == 0 ? "training" : "replay") + " data set is empty");
  }
  if (replay && !(replay->schema() == train->schema())) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "replay and training data differ in sample shape, type or classes; import "
                      "both with one schema");
  }
  state_ = std::make_unique<State>(std::move(train), std::move(replay), std::move(options));
  const int64_t ranks = state_->options.share.ranks;
  const int64_t smallest = state_->per_epoch / state_->steps;
  if (smallest < ranks && state_->replayed < ranks) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("batch_size: {} ranks cannot share a batch of {} samples; raise "
                                  "it, or start fewer ranks",
                                  ranks,
                                  smallest + state_->replayed));
  }
}

Loader::~Loader() = default;

int64_t Loader::steps_per_epoch() const {
  return state_->steps;
}

int64_t Loader::samples_per_epoch() const {
  return state_->per_epoch + state_->steps * state_->replayed;
}

void Loader::start_epoch(int64_t epoch, int64_t first_step) {
  state_->worker = {};
  state_->ready.clear();
  state_->failure = nullptr;
  state_->finished = false;
  state_->worker =
      std::jthread([state = state_.get(), epoch, first_step](const std::stop_token& stop) {
        state->run(stop, epoch, first_step);
      });
}

std::unique_ptr<LoadedBatch> Loader::next() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return !state_->ready.empty() || state_->finished; });
  if (state_->ready.empty()) {
    if (state_->failure) {
      std::rethrow_exception(state_->failure);
    }
    return nullptr;
  }
  auto batch = std::move(state_->ready.front());
  state_->ready.pop_front();
  state_->changed.notify_all();
  return batch;
}

}  // namespace coppice::train
