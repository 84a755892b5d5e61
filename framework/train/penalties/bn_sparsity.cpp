#include <algorithm>

#include "core/error.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/penalties/absolute.h"

namespace coppice::train {

std::unique_ptr<Penalty> make_bn_sparsity(const Network& network, double strength) {
  const auto& parameters = network.parameters();
  if (std::none_of(parameters.begin(), parameters.end(), [](const Parameter& p) {
        return p.kind == ParameterKind::NormScale;
      })) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "penalty.bn_sparsity: the network has no BatchNorm whose scales could be "
                      "pressed; use group_lasso, or leave it at 0");
  }
  return make_absolute(network, strength, ParameterKind::NormScale);
}

}  // namespace coppice::train
