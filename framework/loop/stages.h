#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "jobs/executor.h"
#include "jobs/stage.h"

namespace coppice::loop {

struct StageTime {
  std::string name;
  double seconds = 0;
  bool cached = false;
};

/// Seconds by stage, for summary.json.
std::map<std::string, double> seconds_by_stage(const std::vector<StageTime>& times);

/// Runs an experiment's jobs one after another, showing their progress and keeping their times.
class Stages {
 public:
  Stages(jobs::Executor& executor, jobs::StageCache cache, uint64_t seed);

  /// Returns the folder with the job's outputs. Throws what the executor throws.
  std::filesystem::path run(const std::string& kind,
                            const std::string& name,
                            std::map<std::string, std::filesystem::path> inputs,
                            std::string options);

  /// Work done in this process, timed like a job.
  void record(const std::string& name, double seconds) { times_.push_back({name, seconds, false}); }

  const std::vector<StageTime>& times() const { return times_; }

 private:
  jobs::Executor& executor_;
  jobs::StageCache cache_;
  uint64_t seed_;
  std::vector<StageTime> times_;
};

}  // namespace coppice::loop
