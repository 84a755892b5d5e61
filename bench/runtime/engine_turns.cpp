// Times an engine in turns with whoever asks: engine_turns MODEL.onnx [BACKEND [CACHE]]
// CACHE: the file that remembers what `auto` chose. Every line on standard input, a number of
// microseconds, is one turn: runs follow each other for that long, and one line with the mean
// microseconds of a run is the answer.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/error.h"
#include "graph/onnx.h"
#include "runtime/engine.h"

namespace {

using namespace coppice;

graph::Tensor zeros_of(const graph::Node& node) {
  graph::Shape shape = node.shape;
  shape.at(0) = 1;
  return {node.dtype, shape};
}

/// Some runs first: the other side's turn took the caches and the clock rate.
double mean_micros(runtime::Engine& engine,
                   const std::vector<graph::Tensor>& inputs,
                   std::vector<graph::Tensor>& outputs,
                   double micros) {
  using Clock = std::chrono::steady_clock;
  using Micros = std::chrono::duration<double, std::micro>;
  constexpr int kMostWarmUp = 10;
  const auto start = Clock::now();
  for (int i = 0; i < kMostWarmUp && (i == 0 || Micros(Clock::now() - start).count() < micros / 4);
       ++i) {
    engine.run(inputs, outputs);
  }
  const auto begin = Clock::now();
  Micros passed{};
  int64_t runs = 0;
  for (; passed.count() < micros; ++runs) {
    engine.run(inputs, outputs);
    passed = Clock::now() - begin;
  }
  return passed.count() / static_cast<double>(runs);
}

int serve(const char* file, const char* backend, const char* cache) {
  const auto engine =
      runtime::build_engine(graph::load_onnx(file), {.backend = backend, .cache = cache});
  std::vector<graph::Tensor> inputs;
  std::vector<graph::Tensor> outputs;
  for (const graph::Node* node : engine->model().graph.inputs()) {
    inputs.push_back(zeros_of(*node));
  }
  for (const std::string& name : engine->model().graph.outputs) {
    outputs.push_back(zeros_of(engine->model().graph.at(name)));
  }
  double micros = 0;
  while (std::scanf("%lf", &micros) == 1) {  // NOLINT: a wrong line ends the service
    std::printf("%.4f\n", mean_micros(*engine, inputs, outputs, micros));
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: engine_turns MODEL.onnx [BACKEND [CACHE]]\n");
    return 2;
  }
  try {
    return serve(argv[1], argc > 2 ? argv[2] : "auto", argc > 3 ? argv[3] : "");
  } catch (const core::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
