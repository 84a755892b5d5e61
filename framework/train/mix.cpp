#include "train/mix.h"

namespace coppice::train {

Mixing mix_batch(data::Batch& batch,
                 const data::Schema& schema,
                 const recipe::MixOptions& options,
                 core::Rng rng) {
  const bool both = options.mixup_alpha > 0 && options.cutmix_alpha > 0;
  const bool blend = both ? rng.bernoulli(0.5) : options.mixup_alpha > 0;
  Mixing mixing;
  if (blend && rng.bernoulli(options.mixup_probability)) {
    mixing = mixup(batch, schema, options.mixup_alpha, rng);
  } else if (!blend && options.cutmix_alpha > 0 && rng.bernoulli(options.cutmix_probability)) {
    mixing = cutmix(batch, schema, options.cutmix_alpha, rng);
  }
  if (options.cutout_side > 0 && rng.bernoulli(options.cutout_probability)) {
    cutout(batch, schema, options.cutout_side, rng);
  }
  return mixing;
}

}  // namespace coppice::train
