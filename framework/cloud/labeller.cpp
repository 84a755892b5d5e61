#include "cloud/labeller.h"

#include <utility>

#include "core/error.h"
#include "core/rng.h"

namespace coppice::cloud {

SimulatedLabeller::SimulatedLabeller(Truth truth,
                                     int64_t classes,
                                     double error_share,
                                     uint64_t seed)
    : truth_(std::move(truth)), classes_(classes), error_share_(error_share), seed_(seed) {
  if (error_share > 0 && classes < 2) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "a labeller can't be wrong with fewer than two classes to choose from");
  }
}

int64_t SimulatedLabeller::label(const std::string& device, const link::Sample& sample) {
  const int64_t truth = truth_(device, sample.sequence);
  core::Rng rng = core::Rng(seed_).split(device).split(static_cast<uint64_t>(sample.sequence));
  if (truth < 0 || !rng.bernoulli(error_share_)) {
    return truth;
  }
  return (truth + 1 + rng.below(classes_ - 1)) % classes_;
}

}  // namespace coppice::cloud
