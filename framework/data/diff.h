#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"
#include "data/dataset.h"

namespace coppice::data {

/// When a difference counts as a shift: only where it is both large (PSI) and not by chance (KS).
struct DiffOptions {
  double psi_threshold = 0.1;  ///< population stability index from which a shift is large
  double significance = 0.01;  ///< of the Kolmogorov-Smirnov test, shared by all tests (Bonferroni)
  int64_t bins = 10;           ///< of the index, between quantiles of the older samples

  void visit(core::Fields& f);
};

struct ClassDifference {
  std::string name;
  int64_t before = 0;
  int64_t after = 0;
  double share_before = 0;
  double share_after = 0;
};

/// Of one feature; of samples with channels, of each channel's mean and deviation in a sample.
struct ValueDifference {
  std::string name;
  double mean_before = 0;
  double mean_after = 0;
  double std_before = 0;
  double std_after = 0;
  double psi = 0;
  double ks_distance = 0;
  double ks_p_value = 1;
  bool shifted = false;
};

/// What became of a data set.
struct DatasetDifference {
  int64_t before = 0;  ///< samples
  int64_t after = 0;
  int64_t kept = 0;        ///< same bytes in both, each counted once
  int64_t relabelled = 0;  ///< of the kept, with another label or target
  int64_t removed = 0;
  int64_t added = 0;
  std::vector<ClassDifference> classes;
  double class_psi = 0;  ///< of the class shares
  std::vector<ValueDifference> values;
  std::vector<std::string> findings;
};

/// Compares a version with its parent. `feature_names` (optional) are for messages.
///
/// Throws Error{InvalidArgument}: another sample shape, type, task or targets, an empty data set.
/// Class names may have grown.
DatasetDifference diff(const Dataset& before,
                       const Dataset& after,
                       const DiffOptions& options = {},
                       const std::vector<std::string>& feature_names = {});

/// For a terminal.
std::string to_text(const DatasetDifference& difference);
/// One JSON object, with the fields' names.
std::string to_json(const DatasetDifference& difference);

}  // namespace coppice::data
