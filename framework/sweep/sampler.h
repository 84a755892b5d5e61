#pragma once

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
  double objective = 0;                  ///< of a finished trial
  std::map<std::string, double> figures;
  std::string folder;
};

/// Proposes trials. The decision is a function of the space, the seed and the immutable history.
class Sampler {
 public:
  virtual ~Sampler() = default;
  /// Assignment of trial `number`; nothing when the space is used up.
  virtual std::optional<Assignment> propose(const std::vector<ParameterOptions>& space, int64_t number, uint64_t seed,
                                            const std::vector<Trial>& history) const = 0;
};

/// "grid", "random".
const core::Registry<std::shared_ptr<const Sampler>>& samplers();

}  // namespace coppice::sweep
