#pragma once

#include <memory>

#include "train/parameter.h"
#include "train/penalty.h"

namespace coppice::train {

/// strength x sum of magnitudes over the parameters of one kind.
std::unique_ptr<Penalty> make_absolute(const Network& network, double strength, ParameterKind kind);

}  // namespace coppice::train
