#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/rng.h"
#include "data/dataset.h"
#include "recipe/regularise.h"

namespace coppice::train {

/// What a batch's targets are after mixing: `share` of sample i's own and 1 - share of its
/// partner's.
struct Mixing {
  std::vector<int64_t> partner;  ///< empty: every sample is itself
  double share = 1;

  bool mixes() const { return !partner.empty(); }
};

/// Changes the samples of a whole batch in place.
///
/// Samples are u8 or f32 in raw units, before the network's own preprocessing; as that is affine,
/// blending before it is blending after it. u8 results are rounded. The same generator gives the
/// same result. REQUIRES of all: a batch of the schema.
Mixing mixup(data::Batch& batch, const data::Schema& schema, double alpha, core::Rng& rng);
Mixing cutmix(data::Batch& batch, const data::Schema& schema, double alpha, core::Rng& rng);
void cutout(data::Batch& batch, const data::Schema& schema, double side, core::Rng& rng);

/// What the options ask for: mixup or cutmix (one of both by a fair coin, then by its probability),
/// then cutout.
Mixing mix_batch(data::Batch& batch,
                 const data::Schema& schema,
                 const recipe::MixOptions& options,
                 core::Rng rng);

}  // namespace coppice::train
