#include "train/mix.h"
#include "train/mixes/beta.h"
#include "train/mixes/samples.h"

namespace coppice::train {

/// Zhang et al., "mixup: beyond empirical risk minimization" (ICLR 2018): one share for the batch,
/// partners by a permutation of it.
Mixing mixup(data::Batch& batch, const data::Schema& schema, double alpha, core::Rng& rng) {
  const Mixing mixing{rng.permutation(batch.size), draw_beta(alpha, rng)};
  const std::vector<std::byte> before = batch.samples;
  const auto elements = static_cast<size_t>(schema.sample_elements());
  with_values(batch, schema, [&](auto values) {
    using T = typename decltype(values)::value_type;
    const T* all = reinterpret_cast<const T*>(before.data());
    for (size_t i = 0; i < mixing.partner.size(); ++i) {
      const T* other = all + static_cast<size_t>(mixing.partner[i]) * elements;
      T* own = values.data() + i * elements;
      for (size_t k = 0; k < elements; ++k) {
        own[k] = to_element<T>(mixing.share * static_cast<double>(own[k]) +
                               (1 - mixing.share) * static_cast<double>(other[k]));
      }
    }
  });
  return mixing;
}

}  // namespace coppice::train
