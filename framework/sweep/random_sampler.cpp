#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/rng.h"
#include "sweep/sampler.h"

namespace coppice::sweep {

namespace {

double draw_real(const ParameterOptions& parameter, core::Rng& rng) {
  const double low = parameter.range[0];
  const double high = parameter.range[1];
  const double drawn =
      parameter.log ? std::exp(rng.uniform(std::log(low), std::log(high))) : rng.uniform(low, high);
  return std::clamp(drawn, low, high);
}

int64_t draw_integer(const ParameterOptions& parameter, core::Rng& rng) {
  const double low = std::ceil(parameter.range[0]);
  const double high = std::floor(parameter.range[1]);
  if (!parameter.log) {
    return static_cast<int64_t>(low) + rng.below(static_cast<int64_t>(high - low) + 1);
  }
  // Each number owns the stretch that rounds to it, so that the first and last are not drawn half
  // as often.
  const double drawn = std::exp(rng.uniform(std::log(low - 0.5), std::log(high + 0.5)));
  return static_cast<int64_t>(std::clamp(std::round(drawn), low, high));
}

std::string draw(const ParameterOptions& parameter, core::Rng& rng) {
  if (!parameter.values.empty()) {
    return parameter
        .values[static_cast<size_t>(rng.below(static_cast<int64_t>(parameter.values.size())))];
  }
  return parameter.integer ? fmt::format("{}", draw_integer(parameter, rng))
                           : fmt::format("{}", draw_real(parameter, rng));
}

class RandomSampler final : public Sampler {
 public:
  std::optional<Assignment> propose(const std::vector<ParameterOptions>& space,
                                    int64_t number,
                                    uint64_t seed,
                                    const std::vector<Trial>&) const override {
    const core::Rng trial = core::Rng(seed).split("sweep").split(static_cast<uint64_t>(number));
    Assignment assignment;
    for (const ParameterOptions& parameter : space) {
      core::Rng rng = trial.split(
          parameter.field);  // a further parameter does not change the draws of the others
      assignment[parameter.field] = draw(parameter, rng);
    }
    return assignment;
  }

  std::optional<int64_t> size(const std::vector<ParameterOptions>&) const override {
    return std::nullopt;
  }
};

}  // namespace

std::shared_ptr<const Sampler> make_random_sampler() {
  return std::make_shared<RandomSampler>();
}

}  // namespace coppice::sweep
