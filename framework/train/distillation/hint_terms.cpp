#include "train/distillation/hint_terms.h"

namespace coppice::train {

const core::Registry<HintMethod>& hint_methods() {
  static const core::Registry<HintMethod> registry = [] {
    core::Registry<HintMethod> r("hint");
    r.add("fitnets",
          {fitnets, /*learns_regressor=*/true},
          "what a learnt regressor makes of the student's node (Romero et al., ICLR 2015)");
    r.add("attention",
          {attention_transfer},
          "where activations are large (Zagoruyko and Komodakis, ICLR 2017)");
    r.add("rkd", {relational}, "distances and angles between samples (Park et al., CVPR 2019)");
    r.add("similarity",
          {similarity_preserving},
          "products of samples with each other (Tung and Mori, ICCV 2019)");
    r.add("pkt",
          {probabilistic_transfer},
          "chances to be neighbours (Passalis and Tefas, ECCV 2018)");
    return r;
  }();
  return registry;
}

}  // namespace coppice::train
