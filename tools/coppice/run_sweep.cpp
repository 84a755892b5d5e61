#include "coppice/run_sweep.h"

#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/exit_code.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "core/process.h"
#include "core/progress.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/metrics_log.h"

namespace coppice::tools {

namespace {

std::vector<std::string> trial_command(const SweepOptions& options,
                                       const RunOptions& run,
                                       const std::filesystem::path& folder,
                                       const std::filesystem::path& cache,
                                       const sweep::Trial& trial) {
  std::vector<std::string> command{(core::executable_folder() / "coppice").string(),
                                   "run",
                                   options.experiment,
                                   "--out",
                                   folder.string(),
                                   "--cache",
                                   cache.string()};
  for (const auto& [field, value] : trial.assignment) {
    command.insert(command.end(), {"--set", fmt::format("{}={}", field, value)});
  }
  if (!run.trainer.empty()) {
    command.insert(command.end(), {"--trainer", run.trainer.string()});
  }
  return command;
}

/// A trial whose worker has been silent for so long is given out again.
constexpr std::chrono::seconds kLease{15};

const core::SystemClock& system_clock() {
  static const core::SystemClock clock;
  return clock;
}

sweep::Study open_study(const SweepOptions& options, const std::filesystem::path& folder) {
  return {folder / "study.db",
          options.study,
          static_cast<uint64_t>(options.seed),
          system_clock(),
          kLease};
}

/// Takes trials until every one has ended. One per thread; each opens the study itself.
class Worker {
 public:
  Worker(const SweepOptions& options,
         const RunOptions& run,
         std::filesystem::path folder,
         int64_t number)
      : options_(options),
        run_(run),
        folder_(std::move(folder)),
        name_(fmt::format("{}-{}", getpid(), number)) {}

  void work(const std::function<void(const sweep::Trial&)>& on_end) {
    sweep::Study study = open_study(options_, folder_);
    try {
      while (!study.finished()) {
        core::throw_if_interrupted();
        if (const auto trial = study.ask(name_)) {
          const auto heartbeat = study.keep(trial->number, name_);
          run_trial(study, *trial);
          on_end(*trial);
        } else {  // others have the last ones, and may die over them
          std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
      }
    } catch (...) {
      study.release(name_);
      throw;
    }
  }

 private:
  void run_trial(sweep::Study& study, const sweep::Trial& trial) {
    const auto out = folder_ / "trials" / fmt::format("{:04}", trial.number);
    std::filesystem::create_directories(out);
    const auto threads = std::max<int64_t>(
        1, static_cast<int64_t>(std::thread::hardware_concurrency()) / options_.workers);
    const auto errors = folder_ / "trials" / fmt::format("{:04}.stderr.txt", trial.number);
    const auto result =
        core::run_process({.command = trial_command(options_, run_, out, folder_ / "stages", trial),
                           .environment = {{"OMP_NUM_THREADS", fmt::format("{}", threads)}},
                           .working_folder = {},
                           .on_line = [](std::string_view) {},
                           .stderr_file = errors});
    if (result.exit_code == core::exit_code(core::ErrorKind::Interrupted)) {
      throw core::Error(
          core::ErrorKind::Interrupted,
          fmt::format("trial {} was interrupted; the same command with --resume goes on",
                      trial.number));
    }
    if (result.exit_code == 0) {
      study.tell(trial.number, report::read_figures(out / "summary.json"), out.string());
    } else {
      study.fail(trial.number,
                 fmt::format("exit code {}, see {}", result.exit_code, errors.string()));
      core::log_warning(fmt::format("trial {} failed with exit code {}: see {}",
                                    trial.number,
                                    result.exit_code,
                                    errors.string()));
    }
  }

  const SweepOptions& options_;
  const RunOptions& run_;
  std::filesystem::path folder_;
  std::string name_;
};

std::vector<std::vector<std::string>> trial_rows(const std::vector<sweep::Trial>& trials,
                                                 const SweepOptions& options) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& trial : trials) {
    std::vector<std::string> row{fmt::format("{}", trial.number),
                                 std::string(sweep::to_string(trial.state))};
    for (const auto& parameter : options.study.parameters) {
      row.push_back(trial.assignment.at(parameter.field));
    }
    const bool finished = trial.state == sweep::Trial::State::Finished;
    row.push_back(finished ? fmt::format("{:.4f}", trial.objective) : "");
    for (const char* figure : {"macs", "bytes", "latency_us"}) {
      const auto it = trial.figures.find(figure);
      row.push_back(it == trial.figures.end() ? "" : fmt::format("{:.0f}", it->second));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void report_sweep(const sweep::Study& study,
                  const SweepOptions& options,
                  const std::filesystem::path& folder) {
  std::vector<std::string> header{"trial", "state"};
  for (const auto& parameter : options.study.parameters) {
    header.push_back(parameter.field);
  }
  header.insert(header.end(), {options.study.objective, "MACs", "bytes", "latency us"});
  const auto trials = study.trials();
  const auto rows = trial_rows(trials, options);
  fmt::print("{}\n", report::text_table(header, rows));

  report::Series points{"trials", {}, {}, false};
  int64_t failed = 0;
  for (const auto& trial : trials) {
    failed += trial.state == sweep::Trial::State::Failed ? 1 : 0;
    if (trial.state == sweep::Trial::State::Finished && trial.figures.contains("bytes")) {
      points.x.push_back(trial.figures.at("bytes") / 1000);
      points.y.push_back(trial.objective);
    }
  }
  report::HtmlReport page("Sweep: " + options.name);
  std::map<std::string, double> figures{{"trials", static_cast<double>(trials.size())},
                                        {"failed", static_cast<double>(failed)}};
  std::map<std::string, std::string> notes;
  if (const auto best = study.best()) {
    page.facts({{"best " + options.study.objective, fmt::format("{:.4f}", best->objective)},
                {"best trial", fmt::format("{}", best->number)},
                {"trials", fmt::format("{}", trials.size())}});
    figures["best_" + options.study.objective] = best->objective;
    figures["best_trial"] = static_cast<double>(best->number);
    for (const auto& [field, value] : best->assignment) {
      notes[field] = value;
    }
    fmt::print(
        "best: trial {}, {} {:.4f}\n", best->number, options.study.objective, best->objective);
  }
  if (!points.x.empty()) {
    report::ChartOptions chart;
    chart.title = options.study.objective + " against size";
    chart.x_label = "artefact, KB";
    chart.y_label = options.study.objective;
    page.section("Trials").svg(report::scatter_chart({points}, chart));
  }
  page.section("Table").table(header, rows);
  page.write(folder / "report.html");
  report::write_summary(folder / "summary.json", figures, notes);
}

}  // namespace

void run_sweep(const SweepOptions& options,
               const RunOptions& run,
               const std::filesystem::path& folder) {
  const sweep::Study study = open_study(options, folder);
  core::Progress progress("sweep", study.total(), "trials");
  for (const auto& trial : study.trials()) {
    progress.advance(trial.state == sweep::Trial::State::Running ? 0 : 1);
  }
  std::mutex mutex;
  std::exception_ptr first_error;
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < options.workers; ++i) {
    threads.emplace_back([&, i] {
      try {
        Worker(options, run, folder, i).work([&](const sweep::Trial& trial) {
          const std::scoped_lock lock(mutex);
          progress.note(fmt::format("trial {} done", trial.number));
          progress.advance();
        });
      } catch (...) {
        const std::scoped_lock lock(mutex);
        first_error = first_error ? first_error : std::current_exception();
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  if (first_error) {
    std::rethrow_exception(first_error);
  }
  report_sweep(study, options, folder);
}

}  // namespace coppice::tools
