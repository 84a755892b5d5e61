#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/fields.h"

namespace coppice::sweep {

/// One field of an experiment that varies: either `values`, or a range.
struct ParameterOptions {
  std::string field;                ///< dotted, as for --set: "train.optimizer.learning_rate"
  std::vector<std::string> values;  ///< YAML words
  std::vector<double> range;        ///< [low, high], both included; for the random sampler
  bool log = false;                 ///< range: uniform in the logarithm; low > 0
  bool integer = false;             ///< range: whole numbers only

  void visit(core::Fields& f);
};

/// "a.b=c" overrides of one trial, by field.
using Assignment = std::map<std::string, std::string>;

/// As load_config's overrides: {"a.b=c", …}, by field.
std::vector<std::string> to_overrides(const Assignment& assignment);

/// Throws Error{InvalidArgument}: no parameter, a field given twice, both or neither of values and
/// range, an empty or reversed range, a logarithm of what is not positive, a range without a whole
/// number.
void check_space(const std::vector<ParameterOptions>& space);

}  // namespace coppice::sweep
