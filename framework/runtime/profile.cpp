#include "runtime/profile.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "core/error.h"

namespace coppice::runtime {

namespace {

graph::Tensor zeros(const graph::Node& node) {
  graph::Shape shape = node.shape;
  std::replace(shape.begin(), shape.end(), graph::kBatch, int64_t{1});
  return graph::Tensor(node.dtype, shape);
}

double percentile(const std::vector<double>& sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  const auto index = static_cast<size_t>(std::max(rank - 1, 0.0));
  return sorted[std::min(index, sorted.size() - 1)];
}

}  // namespace

Latency measure_latency(Engine& engine, int64_t runs, int64_t warm_up) {
  if (runs < 1 || warm_up < 0) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "measure_latency needs at least one run and no negative warm-up");
  }
  const graph::Graph& graph = engine.model().graph;
  std::vector<graph::Tensor> inputs;
  for (const graph::Node* node : graph.inputs()) {
    inputs.push_back(zeros(*node));
  }
  std::vector<graph::Tensor> outputs;
  for (const std::string& name : graph.outputs) {
    outputs.push_back(zeros(graph.at(name)));
  }

  using Clock = std::chrono::steady_clock;
  std::vector<double> micros(static_cast<size_t>(runs));
  for (int64_t i = 0; i < warm_up; ++i) {
    engine.run(inputs, outputs);
  }
  for (double& time : micros) {
    const auto begin = Clock::now();
    engine.run(inputs, outputs);
    time = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  }
  std::sort(micros.begin(), micros.end());
  return {percentile(micros, 0.5), percentile(micros, 0.9), percentile(micros, 0.99), runs};
}

}  // namespace coppice::runtime
