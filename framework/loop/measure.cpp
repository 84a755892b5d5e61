#include "loop/measure.h"

#include <algorithm>
#include <limits>
#include <sstream>

#include <fmt/format.h>

#include "cloud/gate.h"
#include "core/error.h"
#include "core/files.h"
#include "core/interrupt.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "report/metrics_log.h"
#include "runtime/profile.h"

namespace coppice::loop {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kRunsPerRound = 100;

/// classes.txt of a job of kind "predict": a class per line.
std::vector<int64_t> read_classes(const fs::path& file) {
  std::istringstream lines(core::read_text(file));
  std::vector<int64_t> classes;
  for (int64_t predicted = 0; lines >> predicted;) {
    classes.push_back(predicted);
  }
  return classes;
}

}  // namespace

void judge_model(const fs::path& model,
                 const data::Dataset& test,
                 const runtime::EngineOptions& engine,
                 std::map<std::string, double>& figures) {
  const core::Bytes artefact = core::read_file(model);
  const auto verdicts = cloud::run_artefact(artefact, test, engine);
  int64_t errors = 0;
  for (int64_t i = 0; i < test.size(); ++i) {
    errors += test.label(i) == verdicts.predicted.at(static_cast<size_t>(i)) ? 0 : 1;
  }
  const graph::Cost cost = graph::cost(graph::from_onnx(artefact));
  figures["errors"] = static_cast<double>(errors);
  figures["accuracy"] = 1 - static_cast<double>(errors) / static_cast<double>(test.size());
  figures["macs"] = static_cast<double>(cost.macs);
  figures["parameters"] = static_cast<double>(cost.parameters);
  figures["bytes"] = static_cast<double>(artefact.size());
}

std::vector<double> latencies_in_turns(const std::vector<fs::path>& models,
                                       const runtime::EngineOptions& engine,
                                       int64_t rounds) {
  std::vector<std::unique_ptr<runtime::Engine>> engines;
  for (const fs::path& model : models) {
    engines.push_back(runtime::build_engine(graph::load_onnx(model), engine));
  }
  std::vector<double> least(models.size(), std::numeric_limits<double>::infinity());
  for (int64_t round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < engines.size(); ++i) {
      core::throw_if_interrupted();
      least[i] = std::min(least[i], runtime::measure_latency(*engines[i], kRunsPerRound).median_us);
    }
  }
  return least;
}

double eager_latency(const fs::path& model,
                     int64_t rounds,
                     const fs::path& folder,
                     jobs::Executor& executor) {
  fs::create_directories(folder);
  const jobs::JobSpec spec{
      .kind = "eager",
      .name = "eager",
      .seed = 1,
      .inputs = {{"model", model}},
      .options = fmt::format("{{rounds: {}, runs: {}}}", rounds, kRunsPerRound)};
  executor.run(spec, folder, [](const jobs::JobProgress&) {});
  return report::read_figures(folder / "summary.json").at("latency_us");
}

int64_t count_disagreements(const fs::path& model,
                            const std::string& name,
                            const Part& test,
                            const runtime::EngineOptions& engine,
                            const fs::path& folder,
                            jobs::Executor& executor) {
  const fs::path own = folder / name;
  fs::create_directories(own);
  const jobs::JobSpec spec{.kind = "predict",
                           .name = name,
                           .seed = 1,
                           .inputs = {{"model", model}, {"data", test.version.file}},
                           .options = "{}"};
  executor.run(spec, own, [](const jobs::JobProgress&) {});
  const auto simulated = read_classes(own / "classes.txt");
  const core::Bytes artefact = core::read_file(model);
  runtime::EngineOptions reference = engine;
  reference.backend = "reference";
  const auto device = cloud::run_artefact(artefact, *test.samples, engine).predicted;
  const auto judged = cloud::run_artefact(artefact, *test.samples, reference).predicted;
  if (simulated.size() != device.size()) {
    throw core::Error(core::ErrorKind::Corrupt,
                      fmt::format("{}: {} classes for {} samples",
                                  (own / "classes.txt").string(),
                                  simulated.size(),
                                  device.size()));
  }
  int64_t different = 0;
  for (size_t i = 0; i < device.size(); ++i) {
    different += device[i] == judged[i] && device[i] == simulated[i] ? 0 : 1;
  }
  return different;
}

}  // namespace coppice::loop
