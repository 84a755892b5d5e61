#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sweep/sampler.h"

namespace coppice::sweep {

struct StudyOptions {
  std::string sampler = "grid";
  int64_t trials = 0;                    ///< at most; 0: as many as the grid has
  std::string objective = "accuracy";    ///< key of figures in the trial's summary.json
  bool maximise = true;
  std::vector<ParameterOptions> parameters;

  void visit(core::Fields& f);
};

/// Trials in a SQLite file: ask, run it anywhere, tell. Several processes may share one study; a trial whose worker died is given out
/// again. One object belongs to one thread.
class Study {
 public:
  Study(const std::filesystem::path& database, StudyOptions options, uint64_t seed);
  ~Study();

  std::optional<Trial> ask(const std::string& worker);          ///< nothing when all are given out
  void tell(int64_t number, const std::map<std::string, double>& figures, const std::string& folder);
  void fail(int64_t number, const std::string& reason);
  void renew(int64_t number, const std::string& worker);        ///< keeps the lease of a long trial
  void release(const std::string& worker);                      ///< puts back what this worker holds
  std::vector<Trial> trials() const;
  std::optional<Trial> best() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::sweep
