#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/config.h"

namespace coppice::jobs {

/// One job: what `coppice-train` is asked to do. Options are YAML that the job's kind parses
/// itself.
struct JobSpec {
  std::string kind;  ///< "train", "prune", "quantise", "evaluate", … (coppice-train --list)
  std::string name;  ///< for people: "student", "retrain-day-4"
  uint64_t seed = 1;
  std::map<std::string, std::filesystem::path>
      inputs;           ///< files, by role: "train", "teacher", "model", …
  std::string options;  ///< resolved YAML
};

/// As the file job.yaml.
std::string to_yaml(const JobSpec& spec);
/// Throws Error{Config} with place.
JobSpec load_job(const std::filesystem::path& file);

/// SHA-256 over kind, seed, options, the content of every input file and `trainer_hash`: equal
/// keys, equal results.
std::string stage_key(const JobSpec& spec, const std::string& trainer_hash);

}  // namespace coppice::jobs
