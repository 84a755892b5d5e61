#include "graph/zoo/blocks.h"
#include "graph/zoo/head.h"
#include "graph/zoo/networks.h"

namespace coppice::graph {

Model build_cnn1d(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  require_series(options, input);
  Builder builder = start_network(input, seed);
  std::string x = series_input(builder, input);
  ConvAttributes conv{.kernel = {1, options.kernel}};
  for (size_t stage = 0; stage < options.widths.size(); ++stage) {
    if (stage > 0) {
      x = builder.max_pool(x, {.kernel = {1, 2}, .stride = {1, 2}});
    }
    conv.pads = same_pads({1, builder.shape(x).at(3)}, conv.kernel, conv.stride, conv.dilation);
    for (int64_t i = 0; i < options.depth; ++i) {
      x = builder.relu(builder.batch_norm(builder.conv(x, options.widths[stage], conv, false)));
    }
  }
  x = builder.flatten(builder.global_average_pool(x));
  return finish_network(builder, x, options, input);
}

}  // namespace coppice::graph
