#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"
#include "core/rng.h"
#include "data/dataset.h"

namespace coppice::data {

/// Disjoint parts of the given sizes, each with the class shares of the whole (largest remainder),
/// in random order.
///
/// Where earlier parts have taken so much of a class that a part can't have its share, the classes
/// next in the order of remainders stand in. Samples of unknown label count as a class of their
/// own. Throws Error{InvalidArgument} when the sizes exceed the data set or a part would be empty.
std::vector<std::vector<int64_t>> stratified_split(const Dataset& dataset,
                                                   const std::vector<int64_t>& sizes,
                                                   core::Rng rng);

/// Disjoint parts of about the given shares of the samples, no group in two of them: what is
/// measured on a part then holds for devices, users or recordings that were never seen.
///
/// Groups are dealt by size, the largest first (equal ones in random order), each to the part that
/// is furthest below its size; every part gets one. What the shares leave of 1 is not used.
/// Positions ascend within a part. Throws Error{InvalidArgument}: shares that are not positive or
/// sum to more than 1, fewer groups than parts.
std::vector<std::vector<int64_t>> grouped_split(const std::vector<std::string>& groups,
                                                const std::vector<double>& shares,
                                                core::Rng rng);

/// Consecutive parts of about the given shares in order of time, the past first. Times that are all
/// numbers are compared as such, others as texts (ISO 8601 sorts so); samples of one time stay
/// together, in the earlier part. An empty `times` means the order of positions. Throws
/// Error{InvalidArgument} as above, and for a part that would be empty.
std::vector<std::vector<int64_t>> ordered_split(const std::vector<std::string>& times,
                                                int64_t samples,
                                                const std::vector<double>& shares);

/// How samples are told apart.
enum class SplitMethod { Stratified, Grouped, Ordered };

struct SplitPart {
  std::string name;
  double share = 0;

  void visit(core::Fields& f);
};

struct SplitOptions {
  SplitMethod method = SplitMethod::Stratified;
  std::string column;  ///< of groups or times; "" orders by position
  int64_t seed = 1;
  std::vector<SplitPart> parts = {{"train", 0.8}, {"test", 0.2}};

  void visit(core::Fields& f);
};

/// Positions of each part. Throws Error{InvalidArgument, NotFound}: shares that do not fit, a
/// column that the data set does not have.
std::vector<std::vector<int64_t>> split(const Dataset& dataset,
                                        const Columns& columns,
                                        const SplitOptions& options);

/// Indices whose label is in `classes`.
std::vector<int64_t> with_classes(const Dataset& dataset, const std::vector<int64_t>& classes);

}  // namespace coppice::data
