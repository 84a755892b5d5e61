#include "coppice/model_bench.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coppice/model_source.h"
#include "coppice/run_apart.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "graph/cost.h"

namespace coppice::tools {

namespace {

using Message = nlohmann::json;  ///< travels from the process that measures

constexpr int64_t kMostProfiles = 500;  // runs with a clock between the steps

/// Loads, builds and runs one case; JSON, since it travels between processes.
std::string measure_once(const BenchCase& one, const ModelBenchOptions& options) {
  const graph::Model model = open_model(one.source, options.overrides).model;
  const auto begin = std::chrono::steady_clock::now();
  const auto engine = runtime::build_engine(model,
                                            {.backend = one.asked,
                                             .threads = options.threads,
                                             .max_batch = options.profile.batch,
                                             .cache = options.cache});
  const std::chrono::duration<double, std::milli> build = std::chrono::steady_clock::now() - begin;
  const std::vector<double> times = runtime::time_runs(*engine, options.profile);
  const int64_t peak = peak_memory_bytes();
  Message steps = Message::array();
  runtime::ProfileOptions few = options.profile;
  few.runs = std::min(few.runs, kMostProfiles);
  for (const auto& step : runtime::measure_steps(*engine, few)) {
    steps.push_back({step.node, step.work, step.micros});
  }
  const graph::Cost cost = graph::cost(model);
  return Message{{"name", model.metadata.name},
                 {"backend", engine->backend()},
                 {"reason", engine->reason()},
                 {"macs", cost.macs},
                 {"parameters", cost.parameters},
                 {"weight_bytes", cost.weight_bytes},
                 {"arena_bytes", engine->arena_bytes()},
                 {"peak_bytes", peak},
                 {"build_ms", build.count()},
                 {"times_us", times},
                 {"steps", steps}}
      .dump();
}

void add_round(BenchCase& one, const Message& told, bool is_first) {
  one.name = told.at("name").get<std::string>();
  one.backend = told.at("backend").get<std::string>();
  one.reason = told.at("reason").get<std::string>();
  one.macs = told.at("macs").get<int64_t>();
  one.parameters = told.at("parameters").get<int64_t>();
  one.weight_bytes = told.at("weight_bytes").get<int64_t>();
  one.arena_bytes = told.at("arena_bytes").get<int64_t>();
  one.peak_bytes = std::max(one.peak_bytes, told.at("peak_bytes").get<int64_t>());
  const auto build_ms = told.at("build_ms").get<double>();
  one.build_ms = is_first ? build_ms : std::min(one.build_ms, build_ms);
  const auto times = told.at("times_us").get<std::vector<double>>();
  one.times_us.insert(one.times_us.end(), times.begin(), times.end());
  one.steps.clear();
  for (const Message& step : told.at("steps")) {
    one.steps.push_back(
        {step.at(0).get<std::string>(), step.at(1).get<std::string>(), step.at(2).get<double>()});
  }
}

}  // namespace

std::vector<BenchCase> measure_cases(const ModelBenchOptions& options) {
  std::vector<BenchCase> cases;
  for (const std::string& source : options.sources) {
    for (const std::string& backend : options.backends) {
      BenchCase& one = cases.emplace_back();
      one.source = source;
      one.asked = backend;
    }
  }
  for (int64_t round = 0; round < options.rounds; ++round) {
    for (BenchCase& one : cases) {
      core::throw_if_interrupted();
      if (!one.error.empty()) {
        continue;
      }
      try {
        add_round(
            one, Message::parse(run_apart([&] { return measure_once(one, options); })), round == 0);
      } catch (const core::Error& error) {
        // A backend that can't run a model is a result of a comparison, anything else is not.
        if (error.kind() != core::ErrorKind::Unsupported || cases.size() == 1) {
          throw;
        }
        one.error = error.what();
      }
    }
  }
  for (BenchCase& one : cases) {
    if (one.error.empty()) {
      one.latency = runtime::summarise(one.times_us);
      one.samples_per_second =
          1e6 * static_cast<double>(options.profile.batch) / one.latency.mean_us;
    }
  }
  return cases;
}

void bench_models(const ModelBenchOptions& options) {
  if (options.rounds < 1) {
    throw core::Error(core::ErrorKind::InvalidArgument, "--rounds must be at least 1");
  }
  const std::vector<BenchCase> cases = measure_cases(options);
  if (std::all_of(
          cases.begin(), cases.end(), [](const BenchCase& c) { return !c.error.empty(); })) {
    throw core::Error(core::ErrorKind::Unsupported, cases.front().error);
  }
  if (!options.html.empty()) {
    write_bench_page(cases, options);
  }
  if (options.json) {
    fmt::print("{}\n", bench_json(cases, options));
    return;
  }
  fmt::print("{}", bench_text(cases, options));
  if (!options.html.empty()) {
    fmt::print("\npage: {}\n", options.html.string());
  }
}

}  // namespace coppice::tools
