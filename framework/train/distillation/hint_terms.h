#pragma once

#include <ATen/core/ATen_fwd.h>

#include "core/registry.h"
#include "recipe/distil.h"

namespace coppice::train {

/// A distance between a node of the student and one of the teacher on the same samples: scalar.
/// `student`, `teacher`: [n, …], with gradient and without. Shapes are those that
/// recipe::check_hints lets pass.
using HintTerm = at::Tensor (*)(const at::Tensor& student,
                                const at::Tensor& teacher,
                                const recipe::HintOptions& options);

struct HintMethod {
  HintTerm loss = nullptr;
  bool learns_regressor = false;  ///< `student` is what a regressor (regressor.h) makes of the node
};

/// fitnets: Romero et al., "FitNets: hints for thin deep nets", ICLR 2015: squared difference
/// between the teacher's node and what a regressor, which learns with the student, makes of the
/// student's; mean over samples and elements (the paper's half sum x 2 / elements).
at::Tensor fitnets(const at::Tensor& student,
                   const at::Tensor& teacher,
                   const recipe::HintOptions& options);

/// attention: Zagoruyko and Komodakis, "Paying more attention to attention", ICLR 2017: squared
/// difference between the maps sum over channels of |a|^power, each scaled to norm 1; mean over
/// samples and positions, so that the published beta is a weight of 500. Maps of different sizes
/// are first averaged to the smaller.
at::Tensor attention_transfer(const at::Tensor& student,
                              const at::Tensor& teacher,
                              const recipe::HintOptions& options);

/// rkd: Park et al., "Relational knowledge distillation", CVPR 2019: Huber's loss (delta 1) between
/// the samples' distances from each other, over their mean, x `distance`, and between the cosines
/// of the angles that three samples make x `angle`; means over all n^2 pairs and n^3 triples, as
/// the authors' code takes them. Takes memory for n^2 flattened nodes.
at::Tensor relational(const at::Tensor& student,
                      const at::Tensor& teacher,
                      const recipe::HintOptions& options);

/// similarity: Tung and Mori, "Similarity-preserving knowledge distillation", ICCV 2019: squared
/// differences of the samples' products with each other, rows scaled to norm 1, over n^2.
at::Tensor similarity_preserving(const at::Tensor& student,
                                 const at::Tensor& teacher,
                                 const recipe::HintOptions& options);

/// pkt: Passalis and Tefas, "Learning deep representations with probabilistic knowledge transfer",
/// ECCV 2018: KL between the chances that a sample picks another as its neighbour, by the kernel
/// (cosine + 1) / 2; mean over the samples that pick.
at::Tensor probabilistic_transfer(const at::Tensor& student,
                                  const at::Tensor& teacher,
                                  const recipe::HintOptions& options);

/// By options.method.
const core::Registry<HintMethod>& hint_methods();

}  // namespace coppice::train
