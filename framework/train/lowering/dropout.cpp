#include <algorithm>
#include <cstdint>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "core/every_cpu.h"
#include "core/rng.h"
#include "train/lowering/lowering.h"

namespace coppice::train {

namespace {

constexpr int64_t kMaskGrain = 1 << 14;

/// The shape of a mask that zeroes as much at once as the grain says, by broadcasting.
std::vector<int64_t> mask_shape(const at::Tensor& x, graph::DropoutGrain grain) {
  std::vector<int64_t> shape = x.sizes().vec();
  const size_t kept = grain == graph::DropoutGrain::Value     ? shape.size()
                      : grain == graph::DropoutGrain::Channel ? 2
                                                              : 1;
  std::fill(shape.begin() + static_cast<ptrdiff_t>(std::min(kept, shape.size())), shape.end(), 1);
  return shape;
}

/// Values [first, last) of a mask: 0 with probability `rate`, else what keeps the mean. Each value
/// draws by its place, so that the mask does not depend on the number of threads.
COPPICE_FOR_EVERY_CPU
void fill_mask(float* mask, int64_t first, int64_t last, uint64_t seed, double rate) {
  constexpr double kRange = 4294967296.0;  // of the 32 bits that are compared
  const auto dropped = static_cast<uint64_t>(rate * kRange);
  const auto scale = static_cast<float>(1 / (1 - rate));
  for (int64_t i = first; i < last; ++i) {
    const uint64_t drawn = core::split_mix64(seed, static_cast<uint64_t>(i)) >> 32U;
    mask[i] = drawn < dropped ? 0.0F : scale;
  }
}

}  // namespace

at::Tensor lower_Dropout(const LoweringArgs& args) {
  const auto& attributes = args.node.as<graph::DropoutAttributes>();
  const double rate = attributes.rate;
  const at::Tensor& x = args.inputs[0];
  if (!args.training || rate <= 0) {
    return x;
  }
  if (rate >= 1) {
    return x * 0;
  }
  const at::TensorOptions on_cpu = x.options().device(at::kCPU).dtype(at::kFloat);
  const at::Tensor mask = attributes.grain == graph::DropoutGrain::Value
                              ? at::empty_like(x, on_cpu)
                              : at::empty(mask_shape(x, attributes.grain), on_cpu);
  at::parallel_for(0, mask.numel(), kMaskGrain, [&](int64_t first, int64_t last) {
    fill_mask(mask.data_ptr<float>(), first, last, args.dropout_seed, rate);
  });
  return x * mask.to(x.options());  // the same mask on every device
}

}  // namespace coppice::train
