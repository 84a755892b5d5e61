#include "compress/criteria.h"

#include <span>

#include "compress/prune.h"
#include "core/error.h"

namespace coppice::compress {

const core::Registry<Criterion>& criteria() {
  static const core::Registry<Criterion> kRegistry = [] {
    core::Registry<Criterion> registry("prune criterion");
    registry.add("l1", score_l1, "sum of absolute producing weights");
    registry.add("l2", score_l2, "Euclidean norm of the producing weights");
    registry.add(
        "geometric_median", score_geometric_median, "distance to the group's other filters (FPGM)");
    registry.add("bn_scale", score_bn_scale, "absolute batch-norm scale (Network Slimming)");
    registry.add("random", score_random, "random, seeded from the group's name; a baseline");
    return registry;
  }();
  return kRegistry;
}

std::vector<float> producing_values(const graph::Model& model,
                                    const ChannelSlice& slice,
                                    int64_t c) {
  const graph::Tensor& weight = model.weight(slice.weight);
  if (weight.dtype() != graph::DType::F32) {
    throw core::Error(core::ErrorKind::Unsupported,
                      "weight '" + slice.weight + "' is " + std::string(to_string(weight.dtype())) +
                          "; channels are ranked by f32 weights only");
  }
  int64_t outer = 1;
  for (size_t d = 0; d < slice.dimension; ++d) {
    outer *= weight.dim(d);
  }
  const int64_t places = weight.dim(slice.dimension);
  const int64_t inner = weight.size() / (outer * places);
  const std::span<const float> values = weight.data<float>();
  std::vector<float> result;
  for (int64_t o = 0; o < outer; ++o) {
    const auto piece =
        values.subspan(static_cast<size_t>((o * places + slice.offset + c * slice.block) * inner),
                       static_cast<size_t>(slice.block * inner));
    result.insert(result.end(), piece.begin(), piece.end());
  }
  return result;
}

}  // namespace coppice::compress
