#include "coppice/run.h"

#include <cstdio>

#include <fmt/format.h>

#include "coppice/experiment_file.h"
#include "coppice/run_sweep.h"
#include "coppice/trainer.h"
#include "core/config.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "jobs/executor.h"
#include "jobs/run_directory.h"
#include "loop/closed_loop.h"
#include "loop/compression.h"
#include "loop/compression_report.h"
#include "loop/experiment.h"
#include "loop/reports.h"
#include "report/metrics_log.h"
#include "report/tensorboard.h"

namespace coppice::tools {

namespace {

jobs::RunDirectory open_directory(const RunOptions& options, const ExperimentFile& experiment) {
  const std::string config = experiment.resolved();
  if (!options.out.empty()) {
    return jobs::RunDirectory::open(options.out, config);
  }
  if (options.resume) {
    if (auto unfinished = jobs::RunDirectory::find_unfinished("runs", experiment.name(), config)) {
      return *unfinished;
    }
    throw core::Error(core::ErrorKind::NotFound,
                      fmt::format("there is no unfinished run of '{}' with this configuration "
                                  "under runs/; start one without --resume",
                                  experiment.name()));
  }
  return jobs::RunDirectory::create("runs", experiment.name(), config);
}

/// The curves of the student's training are the experiment's.
void keep_curves(const std::filesystem::path& stage, const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  const fs::path log = stage / "metrics.jsonl";
  if (fs::exists(log)) {
    core::write_file(folder / log.filename(), core::read_text(log));
  }
  for (const fs::path& older : report::tensorboard_files(folder)) {
    fs::remove(older);
  }
  for (const fs::path& events : report::tensorboard_files(stage)) {
    core::write_file(folder / events.filename(), core::read_file(events));
  }
}

/// Runs one experiment of a kind into a run directory.
struct Runner {
  const RunOptions& options;
  const ExperimentFile& experiment;
  const jobs::RunDirectory& directory;
  jobs::StageCache cache;

  void operator()(const loop::LoopOptions& loop_options) const {
    const auto executor = jobs::make_local_executor(trainer_path(options.trainer),
                                                    jobs::parse_launch(options.launch));
    const auto result = loop::run_loop(loop_options, directory.path(), *executor, cache);
    loop::write_report(result,
                       "Closed loop: " + loop_options.name,
                       experiment.resolved(),
                       directory.path() / "report.html");
    loop::write_results(result, directory.path());
    fmt::print("{}\n", loop::day_table(result));
    print_figures(result.figures);
  }

  void operator()(const loop::ExperimentOptions& train_options) const {
    const auto executor = jobs::make_local_executor(trainer_path(options.trainer),
                                                    jobs::parse_launch(options.launch));
    const auto result = loop::run_experiment(train_options, directory.path(), *executor, cache);
    keep_curves(result.lineage.student.parent_path(), directory.path());
    loop::write_report(result,
                       "Experiment: " + train_options.name,
                       experiment.resolved(),
                       directory.path() / "report.html");
    report::write_summary(directory.path() / "summary.json",
                          result.figures,
                          {},
                          loop::seconds_by_stage(result.times));
    print_figures(result.figures);
  }

  void operator()(const loop::CompressionOptions& compression) const {
    const auto executor = jobs::make_local_executor(trainer_path(options.trainer),
                                                    jobs::parse_launch(options.launch));
    const auto result = loop::run_compression(compression, directory.path(), *executor, cache);
    loop::write_report(result,
                       "Compression: " + compression.name,
                       experiment.resolved(),
                       directory.path() / "report.html");
    loop::write_results(result, directory.path());
    fmt::print("{}\n", loop::stage_table(result));
  }

  void operator()(const SweepOptions& sweep_options) const {
    if (jobs::parse_launch(options.launch).ranks > 1) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        "--launch: a sweep's trials run beside one another already; leave it out");
    }
    run_sweep(sweep_options, options, directory.path());
  }

  /// Those of single classes or outputs are in summary.json.
  static void print_figures(const std::map<std::string, double>& figures) {
    for (const auto& [name, value] : figures) {
      if (name.find('.') == std::string::npos) {
        fmt::print("{:<30} {:.6g}\n", name, value);
      }
    }
  }
};

}  // namespace

void run(const RunOptions& options) {
  const ExperimentFile experiment = load_experiment(options.file, options.overrides);
  trainer_path(options.trainer);  // refused before a run directory is made
  jobs::parse_launch(options.launch);
  const auto directory = open_directory(options, experiment);
  core::log_to_file(directory.path() / "log.txt");
  core::log_info(fmt::format("run directory: {}", directory.path().string()));
  const auto seed = std::visit([](const auto& o) { return o.seed; }, experiment.options);
  directory.write_provenance(
      {{"seed", fmt::format("{}", seed)}, {"experiment", options.file.string()}});
  std::filesystem::path cache = options.cache;
  if (cache.empty()) {
    cache = options.out.empty() ? std::filesystem::path("runs") / "stages"
                                : directory.path() / "stages";
  }
  std::visit(Runner{options, experiment, directory, jobs::StageCache(cache, options.fresh)},
             experiment.options);
  fmt::print("\nreport: {}\n", (directory.path() / "report.html").string());
}

}  // namespace coppice::tools
