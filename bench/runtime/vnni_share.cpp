// Multiply-accumulates a second of a network's convolutions beside those of VNNI from registers, in
// turns on one core: vnni_share MODEL.onnx TURNS MS
// One line of JSON on standard output, a rate in GMAC/s for each side and turn; [] for a processor
// without AVX-512 VNNI. A turn's rate is the median of its bursts, or of its runs of each layer.
// Backend `onednn`; ONEDNN_MAX_CPU_ISA says which instructions it may use.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "runtime/engine.h"
#include "runtime/profile.h"
#include "vnni.h"

namespace {

using namespace coppice;
using Clock = std::chrono::steady_clock;

double peak_turn(double ms) {
  std::vector<double> rates;
  const auto begin = Clock::now();
  while (std::chrono::duration<double, std::milli>(Clock::now() - begin).count() < ms) {
    rates.push_back(bench::vnni_gmacs());
  }
  const auto middle = rates.begin() + static_cast<std::ptrdiff_t>(rates.size() / 2);
  std::nth_element(rates.begin(), middle, rates.end());
  return *middle;
}

double convolution_micros(runtime::Engine& engine, int64_t runs) {
  double micros = 0;
  for (const runtime::StepTime& step :
       runtime::measure_steps(engine, {.runs = runs, .warm_up = 2})) {
    const bool is_convolution = std::string_view(step.work).starts_with("convolution");
    micros += is_convolution ? step.micros : 0;
  }
  return micros;
}

/// Of what the engine runs as convolutions.
int64_t convolution_macs(const graph::Model& model) {
  int64_t macs = 0;
  for (const auto& [name, count] : graph::macs_by_node(model)) {
    macs += model.graph.at(name).op == graph::Op::Conv ? count : 0;
  }
  return macs;
}

void print(const char* name, const std::vector<double>& rates) {
  std::printf("\"%s\": [", name);
  for (size_t i = 0; i < rates.size(); ++i) {
    std::printf("%s%.2f", i == 0 ? "" : ", ", rates[i]);
  }
  std::printf("]");
}

void measure(const char* file, int turns, double ms) {
  const auto engine = runtime::build_engine(graph::load_onnx(file), {.backend = "onednn"});
  const auto macs = static_cast<double>(convolution_macs(engine->model()));
  const double run_ms = runtime::measure_latency(*engine).median_us / 1e3;
  const auto runs = static_cast<int64_t>(std::max(ms / run_ms, 3.0));
  std::vector<double> peaks;
  std::vector<double> rates;
  for (int turn = 0; turn < turns; ++turn) {
    peaks.push_back(peak_turn(ms));
    rates.push_back(macs / convolution_micros(*engine, runs) / 1e3);
  }
  std::printf("{");
  print("peak", peaks);
  std::printf(", ");
  print("convolutions", rates);
  std::printf("}\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: vnni_share MODEL.onnx TURNS MS\n");
    return 2;
  }
  if (!bench::has_vnni()) {
    std::printf("[]\n");
    return 0;
  }
  try {
    measure(argv[1], std::atoi(argv[2]), std::atof(argv[3]));  // NOLINT: the script's own numbers
    return 0;
  } catch (const core::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
