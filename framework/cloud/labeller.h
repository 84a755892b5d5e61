#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "link/message.h"

namespace coppice::cloud {

/// Tells the true class of a sample: people, a larger model, or in a simulation the data set
/// itself.
class Labeller {
 public:
  virtual ~Labeller() = default;
  /// The class, or -1 when it can't tell.
  virtual int64_t label(const std::string& device, const link::Sample& sample) = 0;
};

/// Asks a function, and is wrong in `error_share` of cases (deterministic in the sample): labels
/// have noise in the field too.
class SimulatedLabeller final : public Labeller {
 public:
  using Truth = std::function<int64_t(const std::string& device, int64_t sequence)>;
  /// Throws Error{InvalidArgument} when there is no other class to name.
  SimulatedLabeller(Truth truth, int64_t classes, double error_share, uint64_t seed);
  int64_t label(const std::string& device, const link::Sample& sample) override;

 private:
  Truth truth_;
  int64_t classes_;
  double error_share_;
  uint64_t seed_;
};

}  // namespace coppice::cloud
