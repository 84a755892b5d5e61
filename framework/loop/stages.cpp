#include "loop/stages.h"

#include <memory>

#include <fmt/format.h>

#include "core/clock.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "core/progress.h"

namespace coppice::loop {

namespace {

/// Turns a job's reports into one progress bar per phase.
class Bar {
 public:
  explicit Bar(std::string stage) : stage_(std::move(stage)) {}

  void show(const jobs::JobProgress& progress) {
    if (!bar_ || progress.done < done_ || progress.total != total_) {
      done_ = progress.done;  // a resumed job starts where it was
      bar_ = std::make_unique<core::Progress>(stage_, progress.total, progress.unit, done_);
      total_ = progress.total;
    }
    bar_->note(progress.phase.empty() ? progress.note
                                      : fmt::format("{} {}", progress.phase, progress.note));
    bar_->advance(progress.done - done_);
    done_ = progress.done;
  }

 private:
  std::string stage_;
  std::unique_ptr<core::Progress> bar_;
  int64_t done_ = 0;
  int64_t total_ = 0;
};

}  // namespace

std::map<std::string, double> seconds_by_stage(const std::vector<StageTime>& times) {
  std::map<std::string, double> seconds;
  for (const StageTime& stage : times) {
    seconds[stage.name] += stage.seconds;
  }
  return seconds;
}

Stages::Stages(jobs::Executor& executor, jobs::StageCache cache, uint64_t seed)
    : executor_(executor), cache_(std::move(cache)), seed_(seed) {}

std::filesystem::path Stages::run(const std::string& kind,
                                  const std::string& name,
                                  std::map<std::string, std::filesystem::path> inputs,
                                  std::string options) {
  core::throw_if_interrupted();
  const core::Stopwatch watch;
  jobs::JobSpec spec{kind, name, seed_, std::move(inputs), std::move(options)};
  Bar bar(name);
  const auto result =
      cache_.run(executor_, spec, [&](const jobs::JobProgress& progress) { bar.show(progress); });
  times_.push_back({name, watch.seconds(), result.cached});
  core::log_info(result.cached ? fmt::format("{}: done before, not run again", name)
                               : fmt::format("{}: {:.1f} s", name, watch.seconds()));
  return result.folder;
}

}  // namespace coppice::loop
