#include "runtime/memory_limit.h"

#include <fmt/format.h>

#include "core/error.h"
#include "graph/cost.h"

namespace coppice::runtime {

namespace {

constexpr int64_t kMegabyte = 1'000'000;

double bytes_of_sample(const graph::Node& node) {
  double bytes = static_cast<double>(graph::size_bytes(node.dtype));
  for (size_t i = 1; i < node.shape.size(); ++i) {
    bytes *= static_cast<double>(node.shape[i]);
  }
  return bytes;
}

}  // namespace

void require_memory(const graph::Model& model, const EngineOptions& options) {
  const int64_t sample = graph::cost(model).activation_bytes;
  if (sample <= options.memory_mb * kMegabyte / options.max_batch) {
    return;
  }
  const graph::Node* largest = &model.graph.nodes.front();
  for (const graph::Node& node : model.graph.nodes) {
    largest = bytes_of_sample(node) > bytes_of_sample(*largest) ? &node : largest;
  }
  throw core::Error(
      core::ErrorKind::Unsupported,
      fmt::format("activations of {} samples take {:.0f} MB, the limit is memory_mb: {}; the "
                  "largest is node '{}' ({}) of shape {}",
                  options.max_batch,
                  static_cast<double>(sample) * static_cast<double>(options.max_batch) / 1e6,
                  options.memory_mb,
                  largest->name,
                  graph::to_string(largest->op),
                  graph::to_string(largest->shape)));
}

}  // namespace coppice::runtime
