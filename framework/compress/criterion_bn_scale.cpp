#include <cmath>

#include "compress/criteria.h"
#include "core/error.h"

namespace coppice::compress {

std::vector<double> score_bn_scale(const graph::Model& model, const ChannelGroup& group) {
  std::vector<double> scores(static_cast<size_t>(group.channels), 0);
  bool found = false;
  for (const ChannelSlice& slice : group.slices) {
    const graph::Node& node = model.graph.at(slice.node);
    if (node.op != graph::Op::BatchNorm || node.inputs[1] != slice.weight) {
      continue;
    }
    found = true;
    const auto scale = model.weight(slice.weight).data<float>();
    for (int64_t p = 0; p < group.channels * slice.block; ++p) {
      scores[static_cast<size_t>(p / slice.block)] +=
          std::abs(static_cast<double>(scale[static_cast<size_t>(slice.offset + p)]));
    }
  }
  if (!found) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "criterion 'bn_scale': group '" + group.name +
                          "' has no batch normalisation; exclude it or choose another criterion");
  }
  return scores;
}

}  // namespace coppice::compress
