#pragma once

#include <vector>

#include <ATen/core/ATen_fwd.h>

namespace coppice::train {

struct Parameter;

/// Of the parameters that have one, in their order: what lies between backward and the optimiser,
/// to be averaged over replicas, penalised and clipped. Shares the parameters' memory.
using Gradients = std::vector<at::Tensor>;

Gradients gradients_of(const std::vector<Parameter>& parameters);

/// L2 norm of all of them together.
double norm_of(const Gradients& gradients);

/// Scales all so that their joint norm is at most `largest` (Pascanu et al., ICML 2013); returns
/// the norm before.
double clip_by_norm(const Gradients& gradients, double largest);

/// Bounds the magnitude of each element.
void clip_by_value(const Gradients& gradients, double largest);

}  // namespace coppice::train
