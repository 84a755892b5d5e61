#include "sweep/study.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/config.h"
#include "core/error.h"
#include "jobs/database.h"
#include "sweep/trial_store.h"

namespace coppice::sweep {

namespace {

using core::Error;
using core::ErrorKind;

constexpr int64_t kMostAttempts = 3;

const core::Clock& system_clock() {
  static const core::SystemClock clock;
  return clock;
}

int64_t count_trials(const StudyOptions& options, const Sampler& sampler) {
  const auto size = sampler.size(options.parameters);
  if (!size && options.trials == 0) {
    throw Error(ErrorKind::InvalidArgument,
                fmt::format("sampler '{}' never ends: give the number of trials", options.sampler));
  }
  const int64_t most = options.trials > 0 ? options.trials : std::numeric_limits<int64_t>::max();
  return std::min(most, size.value_or(most));
}

/// The first line in which two dumps differ, as "'a: 1', not 'a: 2'".
std::string first_difference(std::string_view stored, std::string_view given) {
  const auto take_line = [](std::string_view& text) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line.substr(std::min(line.find_first_not_of(" -"), line.size()));
  };
  std::string_view left;
  std::string_view right;
  do {
    left = take_line(stored);
    right = take_line(given);
  } while (left == right && !(stored.empty() && given.empty()));
  return fmt::format("'{}', not '{}'", left, right);
}

}  // namespace

void StudyOptions::visit(core::Fields& f) {
  f.field("sampler",
          sampler,
          {.help = "how trials are chosen: every combination of a grid, or at random",
           .choices = samplers().names()});
  f.field(
      "trials",
      trials,
      {.help = "at most so many trials; 0: as many as the grid has", .unit = "trials", .min = 0});
  f.field(
      "objective", objective, {.help = "the figure of summary.json that trials are compared by"});
  f.field("maximise", maximise, {.help = "whether a larger objective is better"});
  f.list("parameters", parameters, "the fields of the experiment that vary");
}

struct Study::State {
  std::filesystem::path file;
  StudyOptions options;
  uint64_t seed;
  const core::Clock& clock;
  std::chrono::milliseconds lease;
  std::shared_ptr<const Sampler> sampler;
  int64_t total;
  mutable jobs::Database database;

  State(const std::filesystem::path& path,
        StudyOptions given,
        uint64_t given_seed,
        const core::Clock& given_clock,
        std::chrono::milliseconds given_lease)
      : file(path),
        options(checked(std::move(given))),
        seed(given_seed),
        clock(given_clock),
        lease(given_lease),
        sampler(samplers().get(options.sampler)),
        total(count_trials(options, *sampler)),
        database(path) {}

  static StudyOptions checked(StudyOptions options) {
    check_space(options.parameters);
    return options;
  }

  void open() {
    const std::string text = core::dump_options(options) + fmt::format("seed: {}\n", seed);
    database.transaction([&] {
      create_tables(database);
      const auto rows = database.query("SELECT options FROM study");
      if (rows.empty()) {
        database.execute("INSERT INTO study (options) VALUES (:options)", {text});
      } else if (rows.front().text(0) != text) {
        throw Error(
            ErrorKind::Refused,
            fmt::format("'{}' holds a study with {}; choose another folder or the same options",
                        file.string(),
                        first_difference(rows.front().text(0), text)));
      }
    });
  }

  int64_t now() const { return core::to_millis(clock.now()); }

  /// A worker that died three times over the same trial was killed by it.
  void give_up_on_killers() {
    database.execute(
        "UPDATE trials SET state = 'failed', reason = :reason"
        " WHERE state = 'running' AND until <= :now AND attempts >= :most",
        {fmt::format("its worker died {} times", kMostAttempts), now(), kMostAttempts});
  }

  std::optional<Trial> take_abandoned(const std::string& worker) {
    const auto found = select_trials(
        database, "WHERE state = 'running' AND until <= :now ORDER BY number LIMIT 1", {now()});
    if (found.empty()) {
      return std::nullopt;
    }
    Trial trial = found.front();
    database.execute(
        "UPDATE trials SET state = 'running', worker = :worker, until = :until, attempts = "
        "attempts + 1"
        " WHERE number = :number",
        {worker, now() + lease.count(), trial.number});
    trial.worker = worker;
    return trial;
  }

  std::optional<Trial> make_new(const std::string& worker) {
    Trial trial;
    trial.number = database.query("SELECT count(*) FROM trials").front().integer(0);
    if (trial.number >= total) {
      return std::nullopt;
    }
    const auto history =
        select_trials(database, "WHERE state IN ('finished', 'failed') ORDER BY number");
    auto assignment = sampler->propose(options.parameters, trial.number, seed, history);
    if (!assignment) {
      return std::nullopt;
    }
    trial.assignment = std::move(*assignment);
    trial.worker = worker;
    insert_trial(database, trial, now() + lease.count());
    return trial;
  }

  Trial find(int64_t number) const {
    auto found = select_trials(database, "WHERE number = :number", {number});
    if (found.empty()) {
      throw Error(ErrorKind::NotFound,
                  fmt::format("study '{}' has no trial {}", file.string(), number));
    }
    return std::move(found.front());
  }

  double objective_of(int64_t number, const std::map<std::string, double>& figures) const {
    const auto it = figures.find(options.objective);
    if (it == figures.end()) {
      std::vector<std::string> names;
      for (const auto& [name, value] : figures) {
        names.push_back(name);
      }
      throw Error(ErrorKind::InvalidArgument,
                  fmt::format("trial {} has no figure '{}', the objective of the study{}",
                              number,
                              options.objective,
                              core::did_you_mean(options.objective, names)));
    }
    return it->second;
  }
};

Study::Study(const std::filesystem::path& database, StudyOptions options, uint64_t seed)
    : Study(database, std::move(options), seed, system_clock()) {}

Study::Study(const std::filesystem::path& database,
             StudyOptions options,
             uint64_t seed,
             const core::Clock& clock,
             std::chrono::milliseconds lease)
    : state_(std::make_unique<State>(database, std::move(options), seed, clock, lease)) {
  state_->open();
}

Study::~Study() = default;

std::optional<Trial> Study::ask(const std::string& worker) {
  std::optional<Trial> trial;
  state_->database.transaction([&] {
    state_->give_up_on_killers();
    trial = state_->take_abandoned(worker);
    if (!trial) {
      trial = state_->make_new(worker);
    }
  });
  return trial;
}

void Study::tell(int64_t number,
                 const std::map<std::string, double>& figures,
                 const std::string& folder) {
  const double objective = state_->objective_of(number, figures);
  const bool valid = std::isfinite(objective);
  state_->database.transaction([&] {
    Trial trial = state_->find(number);
    if (trial.state == Trial::State::Finished) {
      return;
    }
    trial.state = valid ? Trial::State::Finished : Trial::State::Failed;
    trial.objective = valid ? objective : 0;
    trial.figures = figures;
    trial.folder = folder;
    trial.reason = valid ? "" : fmt::format("{} is {}", state_->options.objective, objective);
    update_trial(state_->database, trial);
  });
}

void Study::fail(int64_t number, const std::string& reason) {
  state_->database.transaction([&] {
    Trial trial = state_->find(number);
    if (trial.state == Trial::State::Finished) {
      return;
    }
    trial.state = Trial::State::Failed;
    trial.reason = reason;
    update_trial(state_->database, trial);
  });
}

void Study::renew(int64_t number, const std::string& worker) {
  if (!renew_trial(state_->database, number, worker, state_->now() + state_->lease.count())) {
    throw Error(ErrorKind::Refused,
                fmt::format("trial {} of '{}' is no longer held by worker '{}': its lease ran out",
                            number,
                            state_->file.string(),
                            worker));
  }
}

std::unique_ptr<Heartbeat> Study::keep(int64_t number, const std::string& worker) const {
  return std::make_unique<Heartbeat>(state_->file, number, worker, state_->clock, state_->lease);
}

void Study::release(const std::string& worker) {
  // A lease that ends at once; the attempt is not held against the trial.
  state_->database.execute(
      "UPDATE trials SET worker = '', until = 0, attempts = attempts - 1"
      " WHERE worker = :worker AND state = 'running'",
      {worker});
}

std::vector<Trial> Study::trials() const {
  return select_trials(state_->database, "ORDER BY number");
}

std::optional<Trial> Study::best() const {
  const auto found = select_trials(
      state_->database,
      state_->options.maximise ? "WHERE state = 'finished' ORDER BY objective DESC, number LIMIT 1"
                               : "WHERE state = 'finished' ORDER BY objective, number LIMIT 1");
  return found.empty() ? std::nullopt : std::optional(found.front());
}

int64_t Study::total() const {
  return state_->total;
}

bool Study::finished() const {
  const auto ended =
      state_->database.query("SELECT count(*) FROM trials WHERE state IN ('finished', 'failed')");
  return ended.front().integer(0) >= state_->total;
}

const StudyOptions& Study::options() const {
  return state_->options;
}

}  // namespace coppice::sweep
