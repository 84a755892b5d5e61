#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "sweep/heartbeat.h"
#include "sweep/sampler.h"

namespace coppice::sweep {

struct StudyOptions {
  std::string sampler = "grid";
  int64_t trials = 0;                  ///< at most; 0: as many as the grid has
  std::string objective = "accuracy";  ///< key of figures in the trial's summary.json
  bool maximise = true;
  std::vector<ParameterOptions> parameters;

  void visit(core::Fields& f);
};

/// Trials in a SQLite file: ask, run it anywhere, tell. Several processes may share one study; a
/// trial whose worker died is given out again when its lease runs out, three times at most. One
/// object belongs to one thread.
class Study {
 public:
  static constexpr std::chrono::milliseconds kDefaultLease{std::chrono::minutes(5)};

  /// Makes the study or goes on with the one in the file.
  /// Throws Error{InvalidArgument} for options that make no sense, Error{Refused} when the file
  /// holds a study with other options or another seed, Error{Io, Corrupt}.
  Study(const std::filesystem::path& database, StudyOptions options, uint64_t seed);
  /// With a clock that outlives the study and the time that a worker may be silent.
  Study(const std::filesystem::path& database,
        StudyOptions options,
        uint64_t seed,
        const core::Clock& clock,
        std::chrono::milliseconds lease = kDefaultLease);
  ~Study();

  /// The next trial for `worker`, first of all one that was put back or whose worker died; nothing
  /// when all are given out (but see `finished`: a worker may still die).
  std::optional<Trial> ask(const std::string& worker);
  /// Ends a trial. A second result of one trial (its first worker was slow, not dead) is not
  /// counted. A trial whose objective is not finite has failed. Throws Error{InvalidArgument} when
  /// `figures` lack the objective, Error{NotFound} for an unknown number.
  void tell(int64_t number,
            const std::map<std::string, double>& figures,
            const std::string& folder);
  void fail(int64_t number, const std::string& reason);
  /// Keeps the lease of a long trial: call it at least once per lease. Throws Error{Refused} when
  /// another worker holds it now.
  void renew(int64_t number, const std::string& worker);
  /// Renews it from a thread of its own for as long as the result lives.
  std::unique_ptr<Heartbeat> keep(int64_t number, const std::string& worker) const;
  /// Puts back what this worker holds.
  void release(const std::string& worker);

  std::vector<Trial> trials() const;  ///< by number
  /// The finished trial with the best objective, the first of equal ones.
  std::optional<Trial> best() const;
  int64_t total() const;  ///< trials that the study has when it is finished
  bool finished() const;  ///< every trial has finished or failed
  const StudyOptions& options() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::sweep
