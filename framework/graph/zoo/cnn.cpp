#include "graph/zoo/head.h"
#include "graph/zoo/networks.h"

namespace coppice::graph {

Model build_cnn(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  require_image(options, input);
  Builder builder = start_network(input, seed);
  std::string x = builder.normalise(builder.input(), input.mean, input.std);
  const ConvAttributes conv{.kernel = {3, 3}, .pads = {1, 1, 1, 1}};
  for (size_t stage = 0; stage < options.widths.size(); ++stage) {
    if (stage > 0) {
      x = builder.max_pool(x);
    }
    for (int64_t i = 0; i < options.depth; ++i) {
      x = builder.relu(builder.batch_norm(builder.conv(x, options.widths[stage], conv, false)));
    }
  }
  x = builder.flatten(builder.global_average_pool(x));
  return finish_network(builder, x, options, input);
}

}  // namespace coppice::graph
