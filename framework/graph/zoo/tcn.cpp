#include "core/error.h"
#include "graph/zoo/head.h"
#include "graph/zoo/networks.h"

namespace coppice::graph {

namespace {

/// Output t sees inputs up to t only: all padding is on the left.
std::string causal_conv(
    Builder& builder, const std::string& x, int64_t width, int64_t kernel, int64_t dilation) {
  const ConvAttributes conv{
      .kernel = {1, kernel}, .pads = {0, (kernel - 1) * dilation, 0, 0}, .dilation = {1, dilation}};
  return builder.relu(builder.batch_norm(builder.conv(x, width, conv, false)));
}

}  // namespace

/// Residual blocks of two dilated causal convolutions, each with spatial dropout; level i has
/// dilation 2^i, and the head reads the last step. BN stands where the paper has weight
/// normalisation, so that a device finds it folded into the convolutions.
Model build_tcn(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  require_series(options, input);
  constexpr size_t kMostLevels = 20;
  if (options.widths.size() > kMostLevels) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "model 'tcn': dilation doubles with each of at most 20 levels");
  }
  Builder builder = start_network(input, seed);
  std::string x = series_input(builder, input);
  int64_t dilation = 1;
  for (const int64_t width : options.widths) {
    std::string y = x;
    for (int i = 0; i < 2; ++i) {
      y = causal_conv(builder, y, width, options.kernel, dilation);
      if (options.dropout > 0) {
        y = builder.dropout(y, options.dropout, DropoutGrain::Channel);
      }
    }
    const bool project = builder.shape(x).at(1) != width;
    x = builder.relu(builder.add(y, project ? builder.conv(x, width, {}, true) : x));
    dilation *= 2;
  }
  const int64_t steps = builder.shape(x).at(3);
  x = builder.flatten(builder.slice(x, {.axis = 3, .start = steps - 1, .end = steps}));
  return finish_with_head(builder, x, options, input);
}

}  // namespace coppice::graph
