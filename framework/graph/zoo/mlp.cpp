#include "graph/zoo/head.h"
#include "graph/zoo/networks.h"

namespace coppice::graph {

Model build_mlp(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  Builder builder = start_network(input, seed);
  std::string x = builder.normalise(builder.input(), input.mean, input.std);
  if (builder.shape(x).size() > 2) {
    x = builder.flatten(x);
  }
  for (const int64_t width : options.widths) {
    x = builder.relu(builder.gemm(x, width));
  }
  return finish_network(builder, x, options, input);
}

}  // namespace coppice::graph
