#include "core/error.h"
#include "sweep/sampler.h"

namespace coppice::sweep {

std::string_view to_string(Trial::State state) {
  switch (state) {
    case Trial::State::Running:
      return "running";
    case Trial::State::Finished:
      return "finished";
    case Trial::State::Failed:
      return "failed";
  }
  COPPICE_CHECK(false, "a trial state that is not listed");
}

const core::Registry<std::shared_ptr<const Sampler>>& samplers() {
  static const auto registry = [] {
    core::Registry<std::shared_ptr<const Sampler>> made("sampler");
    made.add("grid",
             make_grid_sampler(),
             "every combination of the listed values, the last parameter fastest");
    made.add("random",
             make_random_sampler(),
             "independent draws from values and ranges (Bergstra and Bengio, 2012)");
    return made;
  }();
  return registry;
}

}  // namespace coppice::sweep
