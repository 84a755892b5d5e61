#include "train/penalties/absolute.h"

namespace coppice::train {

std::unique_ptr<Penalty> make_bn_sparsity(const Network& network, double strength) {
  return make_absolute(network, strength, ParameterKind::NormScale);
}

}  // namespace coppice::train
