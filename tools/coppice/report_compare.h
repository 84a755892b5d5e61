#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coppice/report_runs.h"
#include "monitor/paired_tests.h"

namespace coppice::tools {

struct CompareOptions {
  std::vector<std::string> metrics;  ///< figures that are tested and drawn; empty: the task's own
  std::vector<std::string> ignored;  ///< fields that make no other configuration, besides the seed
  std::string baseline;              ///< a run's folder: only pairs with its configuration
};

/// Runs of one configuration, seeds apart.
struct RunGroup {
  std::string letter;               ///< "A", "B", …, "AA"
  std::string label;                ///< of the fields that differ: "epochs=10, model.name=mlp"
  std::vector<size_t> runs;         ///< positions in Comparison::runs
  std::vector<std::string> values;  ///< of Comparison::fields, in their order; "–" where absent
};

struct Spread {
  int64_t count = 0;
  double mean = 0;
  double sd = 0;  ///< unbiased; 0 below two runs
};

/// Two configurations, paired by seed.
struct GroupPair {
  size_t first = 0;  ///< positions in Comparison::groups
  size_t second = 0;
  std::vector<std::string> seeds;             ///< that both have
  std::optional<monitor::PairedTests> tests;  ///< from two seeds on
  double t_holm = 1;                          ///< adjusted for all pairs of the metric
  double wilcoxon_holm = 1;
};

struct Comparison {
  std::vector<Run> runs;
  std::vector<std::string> fields;  ///< that differ between the groups
  std::vector<RunGroup> groups;
  std::vector<std::string> figures;  ///< of the table: those without a class in the name
  std::vector<std::string> metrics;  ///< tested and drawn
  std::map<std::string, std::vector<GroupPair>> pairs;  ///< by metric
  std::vector<std::string> remarks;                     ///< what a reader must know

  /// Over the runs of a group that have the figure.
  Spread spread(size_t group, const std::string& figure) const;
};

/// Throws Error{InvalidArgument} for fewer than two runs, Error{NotFound} for a metric or an
/// ignored field that no run has, or a baseline that is none of the runs.
Comparison compare_runs(FoundRuns found, const CompareOptions& options);

}  // namespace coppice::tools
