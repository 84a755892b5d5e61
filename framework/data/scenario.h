#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"
#include "data/dataset.h"
#include "data/transform.h"

namespace coppice::data {

/// A stretch of days over which the field looks alike.
struct DriftPhase {
  std::string name = "clean";
  int64_t days = 3;
  std::vector<TransformOptions> transforms;
  std::vector<std::string> classes;  ///< that occur; empty: those that are not withheld

  void visit(core::Fields& f);
};

/// What the field sees, day by day and device by device.
struct ScenarioOptions {
  int64_t devices = 8;
  std::vector<std::string>
      withheld_classes;  ///< not in the first training set; only phases that name them see them
  std::vector<DriftPhase> phases;

  void visit(core::Fields& f);
  int64_t total_days() const;
};

/// The images of one device on one day, in order of arrival.
struct DaySlice {
  int64_t day = 1;  ///< from 1
  int64_t device = 0;
  std::vector<int64_t> indices;  ///< into the field data set
};

/// Deals every image of `field` out to one day and device: equal shares per day and device, classes
/// as the phases say, and images of withheld classes only to phases that name them. Slices are in
/// order of day, then device.
///
/// Shares differ by at most one image wherever class counts permit. Where they don't (so many
/// images of a class that only few days may have that those days exceed their share), the loads are
/// as even as they can be: no image could move from a fuller day to an emptier one. Given the
/// loads, classes are mixed as evenly as possible (maximum entropy: the ratio of two classes is the
/// same on all days that may have both), and the devices of a day get the same mix. Images of
/// unknown label, and of classes that occur in no phase, are not dealt. Throws
/// Error{InvalidArgument}: an unknown class, no phases, devices or days, or a phase that would get
/// no images.
std::vector<DaySlice> deal_field(const Dataset& field,
                                 const ScenarioOptions& options,
                                 uint64_t seed);

/// Throws Error{InvalidArgument} for a day outside 1…total_days().
const DriftPhase& phase_of_day(const ScenarioOptions& options, int64_t day);

/// Class indices that occur in a phase, ascending. Throws Error{InvalidArgument} for a class that
/// the schema does not have.
std::vector<int64_t> classes_of_phase(const ScenarioOptions& options,
                                      const DriftPhase& phase,
                                      const Schema& schema);

}  // namespace coppice::data
