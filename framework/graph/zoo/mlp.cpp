#include "graph/zoo/head.h"
#include "graph/zoo/networks.h"

namespace coppice::graph {

namespace {

Model build_fully_connected(const std::vector<int64_t>& widths,
                            const ModelOptions& options,
                            const ModelInput& input,
                            uint64_t seed) {
  Builder builder = start_network(input, seed);
  std::string x = flat_input(builder, input);
  for (const int64_t width : widths) {
    x = builder.relu(builder.gemm(x, width));
  }
  return finish_network(builder, x, options, input);
}

}  // namespace

Model build_mlp(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  return build_fully_connected(options.widths, options, input, seed);
}

Model build_lenet_300_100(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  return build_fully_connected({300, 100}, options, input, seed);
}

}  // namespace coppice::graph
