#include "data/scenario.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::data {

namespace {

int64_t class_index(const Schema& schema, const std::string& name, std::string_view where) {
  const auto& names = schema.class_names;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("{}: unknown class '{}'{}", where, name, core::did_you_mean(name, names)));
  }
  return found - names.begin();
}

}  // namespace

void DriftPhase::visit(core::Fields& f) {
  f.field("name", name, {.help = "what the phase is called in tables and charts"});
  f.field("days", days, {.help = "how long it lasts", .unit = "days", .min = 1, .max = 3650});
  f.list("transforms", transforms, "how its images differ from the recorded ones");
  f.field(
      "classes", classes, {.help = "classes that occur in it; empty: all that are not withheld"});
}

void ScenarioOptions::visit(core::Fields& f) {
  f.field("devices", devices, {.help = "devices in the field", .min = 1, .max = 100000});
  f.field(
      "withheld_classes",
      withheld_classes,
      {.help =
           "classes that the first model has never seen; only phases that name them have them"});
  f.list("phases", phases, "what the field looks like, one stretch of days after the other");
}

int64_t ScenarioOptions::total_days() const {
  return std::accumulate(
      phases.begin(), phases.end(), int64_t{0}, [](int64_t sum, const DriftPhase& phase) {
        return sum + phase.days;
      });
}

const DriftPhase& phase_of_day(const ScenarioOptions& options, int64_t day) {
  int64_t last = 0;
  for (const DriftPhase& phase : options.phases) {
    last += phase.days;
    if (day >= 1 && day <= last) {
      return phase;
    }
  }
  throw core::Error(core::ErrorKind::InvalidArgument,
                    fmt::format("day {} of a scenario that has days 1 to {}", day, last));
}

std::vector<int64_t> classes_of_phase(const ScenarioOptions& options,
                                      const DriftPhase& phase,
                                      const Schema& schema) {
  std::vector<bool> occurs(schema.class_names.size(), phase.classes.empty());
  for (const std::string& name : options.withheld_classes) {
    occurs[static_cast<size_t>(class_index(schema, name, "withheld_classes"))] = false;
  }
  for (const std::string& name : phase.classes) {
    const std::string where = fmt::format("phase '{}'", phase.name);
    occurs[static_cast<size_t>(class_index(schema, name, where))] = true;
  }
  std::vector<int64_t> classes;
  for (size_t c = 0; c < occurs.size(); ++c) {
    if (occurs[c]) {
      classes.push_back(static_cast<int64_t>(c));
    }
  }
  return classes;
}

}  // namespace coppice::data
