#include "compress/tap.h"

#include <algorithm>
#include <cstring>

#include "graph/pass.h"
#include "runtime/engine.h"

namespace coppice::compress {

namespace {

constexpr int64_t kBatchSize = 32;

graph::Model tapped_model(const graph::Model& model, const std::vector<std::string>& nodes) {
  graph::Model tapped = model;
  tapped.graph.outputs = nodes;
  std::vector<std::unique_ptr<graph::Pass>> passes;
  passes.push_back(graph::make_remove_unused());
  return graph::run_passes(std::move(tapped), passes);
}

graph::Tensor rows(const graph::Tensor& samples, int64_t first, int64_t count) {
  graph::Shape shape = samples.shape();
  const int64_t row_bytes = samples.bytes_size() / shape[0];
  shape[0] = count;
  graph::Tensor batch(samples.dtype(), shape);
  std::memcpy(
      batch.bytes(), samples.bytes() + first * row_bytes, static_cast<size_t>(count * row_bytes));
  return batch;
}

}  // namespace

void run_taps(const graph::Model& model,
              const std::vector<std::string>& nodes,
              const graph::Tensor& samples,
              const TapVisitor& visit) {
  if (nodes.empty()) {
    return;
  }
  const graph::Model tapped = tapped_model(model, nodes);
  const auto engine =
      runtime::build_engine(tapped, {.backend = "first", .threads = 1, .max_batch = kBatchSize});
  std::vector<graph::Tensor> outputs;
  for (int64_t first = 0; first < samples.dim(0); first += kBatchSize) {
    const int64_t count = std::min(kBatchSize, samples.dim(0) - first);
    if (outputs.empty() || outputs.front().dim(0) != count) {
      outputs.clear();
      for (const std::string& name : nodes) {
        graph::Shape shape = tapped.graph.at(name).shape;
        shape[0] = count;
        outputs.emplace_back(tapped.graph.at(name).dtype, shape);
      }
    }
    const std::vector<graph::Tensor> inputs{rows(samples, first, count)};
    engine->run(inputs, outputs);
    visit(outputs);
  }
}

}  // namespace coppice::compress
