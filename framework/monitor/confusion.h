#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coppice::monitor {

/// Counts of (true class, predicted class). A value.
class Confusion {
 public:
  /// Throws Error{InvalidArgument} for fewer than one class.
  explicit Confusion(int64_t classes);

  /// Throws Error{InvalidArgument} for a class outside [0, classes); so does `at`.
  void add(int64_t truth, int64_t predicted);
  int64_t at(int64_t truth, int64_t predicted) const;

  int64_t classes() const { return classes_; }

  int64_t total() const;
  double accuracy() const;             ///< share; 0 when empty
  std::vector<double> recall() const;  ///< per class; NaN for a class without samples

 private:
  size_t index(int64_t truth, int64_t predicted) const;

  int64_t classes_;
  std::vector<int64_t> counts_;
};

}  // namespace coppice::monitor
