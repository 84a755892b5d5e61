#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/profile.h"

namespace coppice::tools {

struct ModelBenchOptions {
  std::vector<std::string> sources;  ///< see open_model()
  std::vector<std::string> overrides;
  std::vector<std::string> backends = {"auto"};
  int64_t threads = 1;
  std::string cache;  ///< see runtime::EngineOptions
  runtime::ProfileOptions profile;
  int64_t rounds = 3;
  bool layers = false;         ///< print the steps of every case, not only of a single one
  bool keep_times = false;     ///< write the time of every run into the JSON
  bool json = false;           ///< print JSON instead of tables
  std::filesystem::path html;  ///< page with pictures; empty: none
};

/// One model on one backend.
struct BenchCase {
  std::string source;
  std::string name;     ///< of the network
  std::string asked;    ///< backend as given
  std::string backend;  ///< the one that ran it
  std::string reason;   ///< why that one
  std::string error;    ///< why it did not run; then nothing below is set
  int64_t macs = 0;
  int64_t parameters = 0;
  int64_t weight_bytes = 0;
  int64_t arena_bytes = 0;
  int64_t peak_bytes = 0;  ///< largest resident memory of a process that loads and runs it alone
  double build_ms = 0;     ///< least of the rounds
  runtime::Latency latency;
  double samples_per_second = 0;
  std::vector<double> times_us;
  std::vector<runtime::StepTime> steps;  ///< of the last round
};

/// Every model on every backend, each in a process of its own; `rounds` times in turns, so that
/// what else happens on the machine meets all of them. Times are pooled over the rounds.
std::vector<BenchCase> measure_cases(const ModelBenchOptions& options);

std::string bench_text(const std::vector<BenchCase>& cases, const ModelBenchOptions& options);
std::string bench_json(const std::vector<BenchCase>& cases, const ModelBenchOptions& options);
void write_bench_page(const std::vector<BenchCase>& cases, const ModelBenchOptions& options);

/// Horizontal bars, one a step, in the order they run: time, share of the whole, what does it.
std::string step_picture(const std::vector<runtime::StepTime>& steps, const std::string& title);

/// Measures and prints. Throws core::Error when no case ran.
void bench_models(const ModelBenchOptions& options);

}  // namespace coppice::tools
