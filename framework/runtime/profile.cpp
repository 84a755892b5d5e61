#include "runtime/profile.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "runtime/program.h"

namespace coppice::runtime {

namespace {

using Clock = std::chrono::steady_clock;

double micros_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

graph::Tensor zeros(const graph::Node& node, int64_t batch) {
  graph::Shape shape = node.shape;
  std::replace(shape.begin(), shape.end(), graph::kBatch, batch);
  return graph::Tensor(node.dtype, shape);
}

/// What a run reads and writes.
struct Arguments {
  std::vector<graph::Tensor> inputs;
  std::vector<graph::Tensor> outputs;
};

Arguments warmed_up(Engine& engine, const ProfileOptions& options) {
  if (options.runs < 1 || options.warm_up < 0 || options.batch < 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "a profile needs a batch of at least 1, at least one run and no negative "
                      "warm-up");
  }
  const graph::Graph& graph = engine.model().graph;
  Arguments arguments;
  for (const graph::Node* node : graph.inputs()) {
    arguments.inputs.push_back(zeros(*node, options.batch));
  }
  for (const std::string& name : graph.outputs) {
    arguments.outputs.push_back(zeros(graph.at(name), options.batch));
  }
  for (int64_t i = 0; i < options.warm_up; ++i) {
    engine.run(arguments.inputs, arguments.outputs);
  }
  return arguments;
}

double percentile(std::span<const double> sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  const auto index = static_cast<size_t>(std::max(rank - 1, 0.0));
  return sorted[std::min(index, sorted.size() - 1)];
}

}  // namespace

std::vector<StepTime> Program::run_profiled(std::span<const std::byte* const> inputs,
                                            std::span<std::byte* const> outputs,
                                            int64_t batch) {
  const auto begin = Clock::now();
  run(inputs, outputs, batch);
  return {{"model", "whole", micros_since(begin)}};
}

std::vector<double> time_runs(Engine& engine, const ProfileOptions& options) {
  Arguments arguments = warmed_up(engine, options);
  std::vector<double> micros(static_cast<size_t>(options.runs));
  for (double& time : micros) {
    const auto begin = Clock::now();
    engine.run(arguments.inputs, arguments.outputs);
    time = micros_since(begin);
  }
  return micros;
}

Latency summarise(std::span<const double> micros) {
  COPPICE_CHECK(!micros.empty(), "a summary needs a time");
  std::vector<double> sorted(micros.begin(), micros.end());
  std::sort(sorted.begin(), sorted.end());
  const double sum = std::accumulate(sorted.begin(), sorted.end(), 0.0);
  return {percentile(sorted, 0.5),
          percentile(sorted, 0.9),
          percentile(sorted, 0.99),
          std::ssize(sorted),
          sum / static_cast<double>(sorted.size())};
}

Latency measure_latency(Engine& engine, int64_t runs, int64_t warm_up) {
  return summarise(time_runs(engine, {.runs = runs, .warm_up = warm_up}));
}

std::vector<StepTime> measure_steps(Engine& engine, const ProfileOptions& options) {
  Arguments arguments = warmed_up(engine, options);
  std::vector<StepTime> steps;
  std::vector<std::vector<double>> micros;
  for (int64_t i = 0; i < options.runs; ++i) {
    steps = engine.run_profiled(arguments.inputs, arguments.outputs);
    micros.resize(steps.size());
    for (size_t step = 0; step < steps.size(); ++step) {
      micros[step].push_back(steps[step].micros);
    }
  }
  for (size_t step = 0; step < steps.size(); ++step) {
    steps[step].micros = summarise(micros[step]).median_us;
  }
  return steps;
}

}  // namespace coppice::runtime
