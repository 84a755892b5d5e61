#include <algorithm>
#include <chrono>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "graph/cost.h"
#include "runtime/choice_cache.h"
#include "runtime/program.h"

namespace coppice::runtime {

namespace {

using core::Error;
using core::ErrorKind;
using graph::Model;
using graph::Tensor;
using FastClock = std::chrono::steady_clock;

/// The plain loops of `reference` win where calling a library costs more than the work.
constexpr int64_t kMostReferenceMacs = 100'000;

struct Candidate {
  const Backend* backend = nullptr;
  std::unique_ptr<Program> program;
  double micros = std::numeric_limits<double>::infinity();
};

/// Everything that a choice depends on.
std::string choice_key(const Model& model, const EngineOptions& options) {
  core::Sha256 key;
  std::error_code error;
  const std::filesystem::path cpuinfo = "/proc/cpuinfo";
  if (std::filesystem::exists(cpuinfo, error)) {
    key.update(processor_of(core::read_text(cpuinfo)));
  }
  for (const Backend& backend : all_backends()) {
    if (backend.is_installed()) {
      key.update(fmt::format("{} {}\n", backend.name, backend.version()));
    }
  }
  key.update(fmt::format("{} {} {}\n", COPPICE_VERSION, options.threads, options.max_batch));
  key.update(graph::content_hash(model));
  return key.finish();
}

/// What takes the model, in the order of "first"; why others don't goes to `refusals`.
std::vector<Candidate> compile_all(const Model& model,
                                   const EngineOptions& options,
                                   std::string& refusals) {
  std::vector<Candidate> candidates;
  const int64_t macs = graph::cost(model).macs;
  for (const Backend& backend : all_backends()) {
    const bool is_last = &backend == &all_backends().back();
    if (!backend.is_installed()) {
      refusals += fmt::format("; {} is not installed", backend.name);
      continue;
    }
    if (is_last && !candidates.empty() && macs * options.max_batch > kMostReferenceMacs) {
      continue;
    }
    try {
      candidates.push_back({&backend, backend.compile(model, options)});
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::Unsupported || (is_last && candidates.empty())) {
        throw;
      }
      refusals += fmt::format("; {} does not take it", backend.name);
    }
  }
  return candidates;
}

std::vector<Tensor> zeros_of(const std::vector<const graph::Node*>& nodes, int64_t batch) {
  std::vector<Tensor> tensors;
  for (const graph::Node* node : nodes) {
    graph::Shape shape = node->shape;
    shape[0] = batch;
    tensors.emplace_back(node->dtype, shape);
  }
  return tensors;
}

/// The least mean over a millisecond of runs, in rounds that take turns: what else happens on the
/// machine only adds to a time.
void measure(std::vector<Candidate>& candidates, const Model& model, int64_t batch) {
  std::vector<const graph::Node*> outputs;
  for (const std::string& name : model.graph.outputs) {
    outputs.push_back(&model.graph.at(name));
  }
  std::vector<Tensor> in = zeros_of(model.graph.inputs(), batch);
  std::vector<Tensor> out = zeros_of(outputs, batch);
  std::vector<const std::byte*> inputs;
  std::vector<std::byte*> results;
  std::ranges::transform(in, std::back_inserter(inputs), [](Tensor& x) { return x.bytes(); });
  std::ranges::transform(out, std::back_inserter(results), [](Tensor& x) { return x.bytes(); });
  constexpr double kBlockMicros = 1000;
  constexpr int kRounds = 20;
  constexpr int kLeastRounds = 3;
  constexpr double kEnoughMicros = 200'000;
  double spent = 0;
  for (int round = 0; round < kRounds && (round < kLeastRounds || spent < kEnoughMicros); ++round) {
    for (Candidate& one : candidates) {
      const auto begin = FastClock::now();
      double elapsed = 0;
      int64_t runs = 0;
      while (elapsed < kBlockMicros) {
        one.program->run(inputs, results, batch);
        ++runs;
        elapsed = std::chrono::duration<double, std::micro>(FastClock::now() - begin).count();
      }
      one.micros = std::min(one.micros, elapsed / static_cast<double>(runs));
      spent += elapsed;
    }
  }
}

std::string describe(const std::vector<Timing>& timings) {
  std::vector<std::string> parts;
  for (const Timing& one : timings) {
    parts.push_back(fmt::format("{} {:.1f} us", one.backend, one.micros));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// The remembered choice, unless its backend is gone.
std::optional<Compiled> recall(const ChoiceCache& cache,
                               const std::string& key,
                               const Model& model,
                               const EngineOptions& options) {
  const auto timings = cache.find(key);
  if (!timings) {
    return std::nullopt;
  }
  const std::string& chosen = (*timings)[pick_fastest(*timings)].backend;
  for (const Backend& backend : all_backends()) {
    if (backend.name == chosen && backend.is_installed()) {
      return Compiled{
          backend.compile(model, options),
          backend.name,
          fmt::format("{}; remembered in {}", describe(*timings), cache.file().string())};
    }
  }
  return std::nullopt;
}

}  // namespace

Compiled compile_fastest(const Model& model, const EngineOptions& options) {
  const ChoiceCache cache(cache_file(options.cache));
  const std::string key = choice_key(model, options);
  if (std::optional<Compiled> known = recall(cache, key, model, options)) {
    return *std::move(known);
  }
  std::string refusals;
  std::vector<Candidate> candidates = compile_all(model, options, refusals);
  if (candidates.size() == 1) {
    Candidate& only = candidates.front();
    return {std::move(only.program), only.backend->name, "the only one that takes it" + refusals};
  }
  measure(candidates, model, options.max_batch);
  std::vector<Timing> timings;
  for (const Candidate& one : candidates) {
    timings.push_back({std::string(one.backend->name), one.micros});
  }
  const bool kept = cache.store(key, timings);
  Candidate& best = candidates[pick_fastest(timings)];
  return {std::move(best.program),
          best.backend->name,
          fmt::format("{}{}; measured now{}",
                      describe(timings),
                      refusals,
                      kept ? ", kept in " + cache.file().string() : "")};
}

}  // namespace coppice::runtime
