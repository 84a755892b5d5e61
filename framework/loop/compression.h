#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "jobs/executor.h"
#include "loop/compression_options.h"
#include "loop/stages.h"

namespace coppice::loop {

/// One model, judged: the experiment's own where that is a file ("model"), and each stage's.
struct CompressionRow {
  std::string name;
  std::string kind;
  std::string from;              ///< empty: a network of its own
  std::filesystem::path model;   ///< ONNX
  std::filesystem::path folder;  ///< of its job
  std::string shape;             ///< row that gave it its shape by pruning; empty: none did
  int64_t epochs = 0;            ///< of training on the way here
  bool int8 = false;
  /// "accuracy", "errors", "macs", "parameters", "bytes", "latency_us"; "transfer_bytes" where a
  /// stage told it; "control_accuracy" of a pruned shape trained from scratch; "disagreements"
  std::map<std::string, double> figures;
};

struct CompressionResult {
  std::vector<CompressionRow> rows;
  std::vector<CompressionRow> controls;  ///< pruned shapes trained from scratch
  std::string baseline;                  ///< row that the others are compared with
  double eager_us = 0;                   ///< of the baseline in libtorch; 0: not measured
  std::vector<std::string> class_names;
  std::vector<StageTime> times;

  const CompressionRow& row(const std::string& name) const;
};

/// `kind: compress`: imports, runs the stages through the cache, trains the controls, judges every
/// model on the test images with the device engine and times all of them in turns. `folder` gets
/// `data/`, and model.onnx of the last stage.
CompressionResult run_compression(const CompressionOptions& options,
                                  const std::filesystem::path& folder,
                                  jobs::Executor& executor,
                                  const jobs::StageCache& cache);

/// For summary.json: every figure of a row by "<figure>.<row>" ("accuracy.recovered"), with what it
/// is against the baseline ("macs_reduction", "bytes_reduction", "speedup", "points_lost", and
/// "speedup_over_eager" where that was measured); the last row's also under the figure's own name.
std::map<std::string, double> figures_of(const CompressionResult& result);

/// Rows that no other is better than in both: more accurate, and less of `cost` ("bytes",
/// "latency_us"). Positions, by rising cost.
std::vector<size_t> frontier(const std::vector<CompressionRow>& rows, const std::string& cost);

}  // namespace coppice::loop
