#include "train/penalties/absolute.h"

namespace coppice::train {

std::unique_ptr<Penalty> make_l1(const Network& network, double strength) {
  return make_absolute(network, strength, ParameterKind::Weight);
}

}  // namespace coppice::train
