#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/registry.h"
#include "sweep/space.h"

namespace coppice::sweep {

struct Trial {
  int64_t number = 0;
  Assignment assignment;
  enum class State { Running, Finished, Failed } state = State::Running;
  double objective = 0;  ///< of a finished trial
  std::map<std::string, double> figures;
  std::string folder;
  std::string worker;  ///< that holds it or held it last; empty: waits to be given out again
  std::string reason;  ///< of a failed trial
};

/// "running", "finished", …
std::string_view to_string(Trial::State state);

/// Proposes trials. The decision is a function of the space, the seed and the immutable history.
/// Stateless: one instance serves all threads.
class Sampler {
 public:
  virtual ~Sampler() = default;

  /// Assignment of trial `number` (from 0); nothing when the space is used up. `history` holds the
  /// finished and failed trials in order of their numbers. REQUIRES: `space` passed check_space.
  /// Throws Error{InvalidArgument} for a parameter that it can't handle.
  virtual std::optional<Assignment> propose(const std::vector<ParameterOptions>& space,
                                            int64_t number,
                                            uint64_t seed,
                                            const std::vector<Trial>& history) const = 0;

  /// Trials until the space is used up; nothing when it never is. Throws as `propose` does.
  virtual std::optional<int64_t> size(const std::vector<ParameterOptions>& space) const = 0;
};

/// "grid", "random".
const core::Registry<std::shared_ptr<const Sampler>>& samplers();

std::shared_ptr<const Sampler> make_grid_sampler();
std::shared_ptr<const Sampler> make_random_sampler();

}  // namespace coppice::sweep
