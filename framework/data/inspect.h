#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/fields.h"
#include "data/dataset.h"
#include "data/statistics.h"

namespace coppice::data {

struct InspectOptions {
  bool check_range = false;  ///< of f32 values, against [low, high]
  double low = 0;
  double high = 1;
  double most_imbalance = 10;     ///< largest class over smallest
  double most_duplicates = 0.01;  ///< share of the samples

  void visit(core::Fields& f);
};

/// Two samples of the same bytes, by position.
using SamePair = std::pair<int64_t, int64_t>;

/// What can be told of a data set without a model.
struct Inspection {
  Schema schema;
  Statistics statistics;
  int64_t unlabelled = 0;  ///< where there are classes
  std::vector<std::string> empty_classes;
  double imbalance = 1;                    ///< largest class over smallest that is not empty
  int64_t duplicates = 0;                  ///< samples whose bytes occurred before
  int64_t conflicts = 0;                   ///< of these, with another label or target
  std::vector<SamePair> first_duplicates;  ///< at most five each
  std::vector<SamePair> first_conflicts;
  std::vector<int64_t> constant_channels;  ///< or features
  int64_t out_of_range = 0;                ///< samples with a value outside [low, high]
  std::vector<std::string> findings;  ///< what deserves a look, one line each; none: nothing does
};

/// Throws what compute_statistics() throws.
Inspection inspect(const Dataset& dataset, const InspectOptions& options = {});

/// For a terminal.
std::string to_text(const Inspection& inspection);
/// One JSON object, with the fields' names.
std::string to_json(const Inspection& inspection);

}  // namespace coppice::data
