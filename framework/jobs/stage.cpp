#include "jobs/stage.h"

#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "jobs/file_errors.h"
#include "jobs/file_lock.h"
#include "jobs/names.h"

namespace coppice::jobs {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kLock = "lock";
constexpr const char* kDone = "done.json";

/// What a run leaves beside its outputs; these hold paths and times and may differ between runs.
bool is_output(const fs::path& relative) {
  static const std::set<std::string> others = {kLock, kDone, "job.yaml", "stderr.txt"};
  return !others.contains(relative.string());
}

std::map<std::string, std::string> hash_outputs(const fs::path& folder) {
  std::map<std::string, std::string> hashes;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path relative = fs::relative(entry.path(), folder);
    if (entry.is_regular_file() && is_output(relative)) {
      hashes[relative.string()] = core::sha256_file(entry.path());
    }
  }
  return hashes;
}

/// True when the folder holds exactly what the job left; `seconds` is then what it took.
bool is_finished(const fs::path& folder, const std::string& key, double& seconds) {
  if (!fs::exists(folder / kDone)) {
    return false;
  }
  const Json done = Json::parse(core::read_text(folder / kDone), nullptr, false);
  if (!done.is_object() || done.value("key", Json()) != key || !done.contains("outputs") ||
      !done["outputs"].is_object() || !done.value("seconds", Json()).is_number()) {
    return false;
  }
  for (const auto& [name, hash] : done["outputs"].items()) {
    const fs::path file = folder / name;
    if (!fs::is_regular_file(file) || hash != core::sha256_file(file)) {
      return false;
    }
  }
  seconds = done["seconds"].get<double>();
  return true;
}

/// All but the lock that we hold. done.json goes first: a kill in between leaves an unfinished
/// folder.
void clear(const fs::path& folder) {
  fs::remove(folder / kDone);
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() != kLock) {
      fs::remove_all(entry.path());
    }
  }
}

void write_done(const fs::path& folder,
                const std::string& key,
                const JobSpec& spec,
                double seconds) {
  const Json done = {{"key", key},
                     {"kind", spec.kind},
                     {"name", spec.name},
                     {"seconds", seconds},
                     {"outputs", hash_outputs(folder)}};
  core::write_file(folder / kDone, done.dump(2) + "\n");
}

}  // namespace

StageCache::StageCache(std::filesystem::path root, bool fresh)
    : root_(std::move(root)), fresh_(fresh) {}

StageResult StageCache::run(Executor& executor,
                            const JobSpec& spec,
                            const std::function<void(const JobProgress&)>& on_progress) {
  check_name(spec.name, "job");
  const std::string key = stage_key(spec, executor.trainer_hash());
  StageResult result;
  result.folder = root_ / fmt::format("{}-{}", spec.name, key.substr(0, 16));
  return with_file_errors(fmt::format("stage '{}'", spec.name), [&] {
    fs::create_directories(result.folder);
    const FileLock lock(result.folder / kLock);
    if (!fresh_ && is_finished(result.folder, key, result.seconds)) {
      result.cached = true;
      return result;
    }
    if (fresh_ || fs::exists(result.folder / kDone)) {
      clear(result.folder);
    }
    const core::Stopwatch watch;
    executor.run(spec, result.folder, on_progress);
    result.seconds = watch.seconds();
    write_done(result.folder, key, spec, result.seconds);
    return result;
  });
}

}  // namespace coppice::jobs
