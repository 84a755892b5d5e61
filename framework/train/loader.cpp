#include "train/loader.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "core/error.h"
#include "core/rng.h"

namespace coppice::train {

namespace {

constexpr size_t kAhead = 3;  // batches that may wait

void append(const data::Batch& more, data::Batch& batch) {
  batch.samples.insert(batch.samples.end(), more.samples.begin(), more.samples.end());
  batch.labels.insert(batch.labels.end(), more.labels.begin(), more.labels.end());
  batch.ids.insert(batch.ids.end(), more.ids.begin(), more.ids.end());
  batch.size += more.size;
}

}  // namespace

struct Loader::State {
  data::DatasetPtr train;
  data::DatasetPtr replay;
  LoaderOptions options;
  core::Rng rng;
  data::Pipeline pipeline;
  int64_t replayed = 0;  ///< samples per batch
  int64_t steps = 0;     ///< batches per epoch

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
        pipeline(options.augmentation, train->schema()) {
    if (replay) {
      const auto wanted =
          std::llround(static_cast<double>(options.batch_size) * options.replay_share);
      replayed = std::clamp<int64_t>(wanted, 0, options.batch_size - 1);
    }
    const int64_t fresh = options.batch_size - replayed;
    steps = (train->size() + fresh - 1) / fresh;
  }

  /// The k-th replayed sample: the data in a new random order, again and again.
  std::vector<int64_t> replay_positions(int64_t first, int64_t count) {
    std::vector<int64_t> positions;
    for (int64_t k = first; k < first + count; ++k) {
      const int64_t cycle = k / replay->size();
      if (cycle != replay_cycle) {
        replay_cycle = cycle;
        replay_order =
            rng.split("replay").split(static_cast<uint64_t>(cycle)).permutation(replay->size());
      }
      positions.push_back(replay_order[static_cast<size_t>(k % replay->size())]);
    }
    return positions;
  }

  int64_t replay_cycle = -1;
  std::vector<int64_t> replay_order;

  std::unique_ptr<LoadedBatch> load(int64_t epoch,
                                    int64_t step,
                                    const std::vector<int64_t>& order) {
    auto loaded = std::make_unique<LoadedBatch>();
    loaded->train_positions.assign(order.begin() + train->size() * step / steps,
                                   order.begin() + train->size() * (step + 1) / steps);
    train->read(loaded->train_positions, loaded->batch);
    if (replayed > 0) {
      loaded->replay_positions = replay_positions((epoch * steps + step) * replayed, replayed);
      data::Batch more;
      replay->read(loaded->replay_positions, more);
      append(more, loaded->batch);
    }
    if (!pipeline.empty()) {
      pipeline.apply(loaded->batch,
                     rng.split("augment")
                         .split(static_cast<uint64_t>(epoch))
                         .split(static_cast<uint64_t>(step)));
    }
    return loaded;
  }

  void work(const std::stop_token& stop, int64_t epoch) {
    const auto order =
        rng.split("order").split(static_cast<uint64_t>(epoch)).permutation(train->size());
    for (int64_t step = 0; step < steps; ++step) {
      auto batch = load(epoch, step, order);
      std::unique_lock lock(mutex);
      if (!changed.wait(lock, stop, [&] { return ready.size() < kAhead; })) {
        return;
      }
      ready.push_back(std::move(batch));
      changed.notify_all();
    }
  }

  void run(const std::stop_token& stop, int64_t epoch) {
    std::exception_ptr error;
    try {
      work(stop, epoch);
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
}

Loader::~Loader() = default;

int64_t Loader::steps_per_epoch() const {
  return state_->steps;
}

int64_t Loader::samples_per_epoch() const {
  return state_->train->size() + state_->steps * state_->replayed;
}

void Loader::start_epoch(int64_t epoch) {
  state_->worker = {};
  state_->ready.clear();
  state_->failure = nullptr;
  state_->finished = false;
  state_->worker = std::jthread(
      [state = state_.get(), epoch](const std::stop_token& stop) { state->run(stop, epoch); });
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
