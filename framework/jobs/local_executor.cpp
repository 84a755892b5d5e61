#include <csignal>
#include <mutex>

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/process.h"
#include "jobs/error_line.h"
#include "jobs/executor.h"
#include "jobs/file_errors.h"
#include "jobs/machine.h"
#include "jobs/ranks.h"

namespace coppice::jobs {

namespace {

class LocalExecutor final : public Executor {
 public:
  LocalExecutor(std::filesystem::path trainer, LocalLaunch launch)
      : trainer_(std::move(trainer)), launch_(launch) {
    if (!std::filesystem::is_regular_file(trainer_)) {
      throw core::Error(
          core::ErrorKind::NotFound,
          fmt::format("no trainer at '{}'; build coppice-train or name another with --trainer",
                      trainer_.string()));
    }
  }

  void run(const JobSpec& spec,
           const std::filesystem::path& folder,
           const std::function<void(const JobProgress&)>& on_progress) override {
    with_file_errors(fmt::format("job '{}'", spec.name),
                     [&] { return std::filesystem::create_directories(folder); });
    const std::filesystem::path job = folder / "job.yaml";
    core::write_file(job, to_yaml(with_absolute_inputs(spec)));
    core::ProcessOptions options;
    options.command = {std::filesystem::absolute(trainer_).string(),
                       "--job",
                       std::filesystem::absolute(job).string(),
                       "--out",
                       std::filesystem::absolute(folder).string()};
    options.environment = job_environment();
    options.on_line = [&](std::string_view line) {
      JobProgress progress;
      if (on_progress && parse_line(line, progress)) {
        on_progress(progress);
      }
    };
    // Where we are ourselves one of a launcher's ranks, the job must not take itself for one.
    options.environment["RANK"] = "0";
    options.environment["WORLD_SIZE"] = "1";
    if (launch_.ranks == 1 || spec.kind != "train") {
      options.stderr_file = folder / "stderr.txt";
      const core::ProcessResult result = core::run_process(options);
      if (result.exit_code != 0) {
        fail(fmt::format("job '{}'", spec.name), result, options.stderr_file);
      }
    } else if (const auto failed = run_ranks(std::move(options), folder, launch_.ranks)) {
      const std::string what =
          fmt::format("job '{}', rank {} of {}", spec.name, failed->rank, launch_.ranks);
      fail(what, failed->result, rank_errors(folder, failed->rank));
    }
  }

  std::string trainer_hash() const override {
    std::call_once(hashed_, [this] { hash_ = core::sha256_file(trainer_); });
    // Sums of several ranks are rounded otherwise, and BN sees a rank's share of a batch.
    return launch_.ranks == 1 ? hash_ : fmt::format("{} x {}", hash_, launch_.ranks);
  }

 private:
  static JobSpec with_absolute_inputs(JobSpec spec) {
    for (auto& [role, file] : spec.inputs) {
      file = std::filesystem::absolute(file);
    }
    return spec;
  }

  /// `what`: "job 'student'".
  [[noreturn]] static void fail(const std::string& what,
                                const core::ProcessResult& result,
                                const std::filesystem::path& errors) {
    const core::Error told = parse_error_lines(core::read_text(errors));
    if (result.killed) {
      const int signal = result.exit_code - 128;
      throw core::Error(core::ErrorKind::Internal,
                        fmt::format("{} was ended by signal {}{}; see '{}'",
                                    what,
                                    signal,
                                    signal == SIGKILL ? " (out of memory?)" : "",
                                    errors.string()));
    }
    const std::string message = told.what();
    throw core::Error(told.kind(),
                      message.empty()
                          ? fmt::format("{} ended with exit code {} and no message; see '{}'",
                                        what,
                                        result.exit_code,
                                        errors.string())
                          : fmt::format("{}: {}", what, message));
  }

  std::filesystem::path trainer_;
  LocalLaunch launch_;
  mutable std::once_flag hashed_;
  mutable std::string hash_;
};

}  // namespace

std::unique_ptr<Executor> make_local_executor(std::filesystem::path trainer, LocalLaunch launch) {
  return std::make_unique<LocalExecutor>(std::move(trainer), launch);
}

}  // namespace coppice::jobs
