#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "jobs/spec.h"

namespace coppice::jobs {

/// What a running job says of itself, one JSON object per line on its stdout: {"progress": {...}}.
struct JobProgress {
  std::string phase;  ///< "epoch 3/10"
  int64_t done = 0;
  int64_t total = 0;
  std::string unit;
  std::string note;  ///< "loss 0.41"
};

std::string to_line(const JobProgress& progress);
/// False for a line that is no progress.
bool parse_line(std::string_view line, JobProgress& progress);

/// Runs jobs somewhere: as a local process, later through Slurm. Thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Runs to the end; results lie in `folder`. Throws Error{Internal, Interrupted, …} with the
  /// job's own one-line error when it fails; what it left stays in `folder` for inspection.
  virtual void run(const JobSpec& spec,
                   const std::filesystem::path& folder,
                   const std::function<void(const JobProgress&)>& on_progress) = 0;

  /// Identifies the program that runs the jobs; part of every stage key.
  virtual std::string trainer_hash() const = 0;
};

/// How many processes of this machine run one job together.
struct LocalLaunch {
  int64_t ranks = 1;
};

/// "local:4", or "local" for one process. Throws Error{InvalidArgument}.
LocalLaunch parse_launch(std::string_view text);

/// Starts `trainer --job <folder>/job.yaml --out <folder>`; sets OPENBLAS_CORETYPE where OpenBLAS
/// misjudges an AVX-512 machine, and keeps waiting threads of OpenMP and OpenBLAS from spinning.
///
/// Jobs of kind "train" are run by as many ranks as `launch` says, which meet at 127.0.0.1: the
/// first that fails ends the others, and the error names it. Rank 0 reports progress; rank r writes
/// its stderr to `stderr.<r>.txt`.
std::unique_ptr<Executor> make_local_executor(std::filesystem::path trainer,
                                              LocalLaunch launch = {});

}  // namespace coppice::jobs
