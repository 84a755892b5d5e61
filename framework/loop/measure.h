#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "jobs/executor.h"
#include "loop/import.h"
#include "runtime/engine.h"

namespace coppice::loop {

/// Adds "accuracy", "errors", "macs", "parameters" and "bytes" of an artefact to `figures`: what
/// the device engine makes of the data set, and the size of the file.
void judge_model(const std::filesystem::path& model,
                 const data::Dataset& test,
                 const runtime::EngineOptions& engine,
                 std::map<std::string, double>& figures);

/// Microseconds of one inference of each model: `rounds` times all of them in turns, so that what
/// else happens on the machine meets all alike; of each the least of its rounds' medians.
std::vector<double> latencies_in_turns(const std::vector<std::filesystem::path>& models,
                                       const runtime::EngineOptions& engine,
                                       int64_t rounds);

/// The same of libtorch running the model op by op, by a job of kind "eager". It is never taken
/// from a cache.
double eager_latency(const std::filesystem::path& model,
                     int64_t rounds,
                     const std::filesystem::path& folder,
                     jobs::Executor& executor);

/// Samples whose class is not the same for the device engine, the reference engine (both load the
/// artefact anew, in this process) and the network of coppice-train that simulates the integers (a
/// job of kind "predict").
int64_t count_disagreements(const std::filesystem::path& model,
                            const std::string& name,
                            const Part& test,
                            const runtime::EngineOptions& engine,
                            const std::filesystem::path& folder,
                            jobs::Executor& executor);

}  // namespace coppice::loop
