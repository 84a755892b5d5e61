#include "graph/zoo/head.h"
#include "graph/zoo/networks.h"

namespace coppice::graph {

/// 5x5 convolutions without padding to 20 and 50 channels, pooled, 500 hidden units, and a ReLU
/// behind those only, as in Caffe's lenet.prototxt.
Model build_lenet5(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  require_image(options, input);
  Builder builder = start_network(input, seed);
  std::string x = builder.normalise(builder.input(), input.mean, input.std);
  for (const int64_t width : {20, 50}) {
    x = builder.max_pool(builder.conv(x, width, {.kernel = {5, 5}}, true));
  }
  x = builder.relu(builder.gemm(builder.flatten(x), 500));
  return finish_network(builder, x, options, input);
}

}  // namespace coppice::graph
