#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "jobs/executor.h"
#include "jobs/spec.h"

namespace coppice::jobs {

struct StageResult {
  std::filesystem::path folder;  ///< holds the job's outputs
  bool cached = false;           ///< found finished, not run
  double seconds = 0;            ///< that the job took when it ran
};

/// Finished jobs by the hash of their inputs. A stage is run in a folder of its own and counts as
/// finished only when its `done.json` (hashes of all outputs) is there and true: a kill at any
/// moment leaves nothing that looks finished.
class StageCache {
 public:
  explicit StageCache(std::filesystem::path root,
                      bool fresh = false);  ///< fresh: run everything once more

  StageResult run(Executor& executor,
                  const JobSpec& spec,
                  const std::function<void(const JobProgress&)>& on_progress = {});

 private:
  std::filesystem::path root_;
  bool fresh_;
};

}  // namespace coppice::jobs
