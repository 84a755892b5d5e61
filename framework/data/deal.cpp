#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "data/balance.h"
#include "data/scenario.h"

namespace coppice::data {

namespace {

using Lists = std::vector<std::vector<int64_t>>;

/// Days that have the same classes, whatever phase they belong to.
struct DayKind {
  std::vector<int64_t> classes;
  std::vector<int64_t> days;
};

/// Classes that occur on the same kinds of days.
struct ClassGroup {
  std::vector<int64_t> classes;
  std::vector<bool> allowed;
};

/// Merges lists so that any stretch of the result has of each list its share, up to about one.
/// Consumes the lists.
std::vector<int64_t> interleave(Lists lists, core::Rng& rng) {
  std::vector<std::pair<double, int64_t>> keyed;
  for (const std::vector<int64_t>& list : lists) {
    // Lists of equal length would always come in the same order without an offset.
    const double offset = rng.uniform();
    for (size_t i = 0; i < list.size(); ++i) {
      keyed.emplace_back((static_cast<double>(i) + offset) / static_cast<double>(list.size()),
                         list[i]);
    }
  }
  std::sort(keyed.begin(), keyed.end());
  std::vector<int64_t> merged;
  merged.reserve(keyed.size());
  for (const auto& [key, value] : keyed) {
    merged.push_back(value);
  }
  return merged;
}

std::vector<DayKind> day_kinds(const ScenarioOptions& options, const Schema& schema) {
  std::vector<DayKind> kinds;
  int64_t day = 1;
  for (const DriftPhase& phase : options.phases) {
    const std::vector<int64_t> classes = classes_of_phase(options, phase, schema);
    auto kind = std::find_if(
        kinds.begin(), kinds.end(), [&](const DayKind& k) { return k.classes == classes; });
    if (kind == kinds.end()) {
      kind = kinds.insert(kind, {classes, {}});
    }
    for (int64_t i = 0; i < phase.days; ++i) {
      kind->days.push_back(day++);
    }
  }
  return kinds;
}

std::vector<ClassGroup> class_groups(const std::vector<DayKind>& kinds, const Lists& by_class) {
  std::map<std::vector<bool>, std::vector<int64_t>> groups;
  for (size_t c = 0; c < by_class.size(); ++c) {
    std::vector<bool> allowed;
    for (const DayKind& kind : kinds) {
      allowed.push_back(
          std::binary_search(kind.classes.begin(), kind.classes.end(), static_cast<int64_t>(c)));
    }
    const bool anywhere = std::find(allowed.begin(), allowed.end(), true) != allowed.end();
    if (anywhere && !by_class[c].empty()) {
      groups[allowed].push_back(static_cast<int64_t>(c));
    }
  }
  std::vector<ClassGroup> result;
  for (const auto& [allowed, classes] : groups) {
    result.push_back({classes, allowed});
  }
  return result;
}

Lists indices_by_class(const Dataset& field, core::Rng& rng) {
  Lists lists(field.schema().class_names.size());
  for (int64_t i = 0; i < field.size(); ++i) {
    if (const int64_t label = field.label(i); label >= 0) {
      lists[static_cast<size_t>(label)].push_back(i);
    }
  }
  for (std::vector<int64_t>& list : lists) {
    rng.shuffle(std::span<int64_t>(list));
  }
  return lists;
}

/// The images of each kind of day, per class.
std::vector<Lists> deal_to_kinds(const std::vector<DayKind>& kinds,
                                 const Lists& by_class,
                                 const Dataset& field,
                                 const ScenarioOptions& options,
                                 core::Rng& rng) {
  const std::vector<ClassGroup> groups = class_groups(kinds, by_class);
  Lists sequences;
  Supply supply;
  for (const ClassGroup& group : groups) {
    Lists lists;
    for (const int64_t c : group.classes) {
      lists.push_back(by_class[static_cast<size_t>(c)]);
    }
    sequences.push_back(interleave(std::move(lists), rng));
    supply.amounts.push_back(static_cast<int64_t>(sequences.back().size()));
    supply.allowed.push_back(group.allowed);
  }
  for (const DayKind& kind : kinds) {
    supply.slots.push_back(static_cast<int64_t>(kind.days.size()) * options.devices);
  }
  const std::vector<std::vector<int64_t>> amounts = balance(supply);
  std::vector<Lists> dealt(kinds.size(), Lists(by_class.size()));
  for (size_t g = 0; g < groups.size(); ++g) {
    auto next = sequences[g].begin();
    for (size_t k = 0; k < kinds.size(); ++k) {
      const auto end = next + static_cast<std::ptrdiff_t>(amounts[g][k]);
      for (; next != end; ++next) {
        dealt[k][static_cast<size_t>(field.label(*next))].push_back(*next);
      }
    }
  }
  return dealt;
}

void check_options(const ScenarioOptions& options) {
  const bool days = std::all_of(
      options.phases.begin(), options.phases.end(), [](const auto& p) { return p.days >= 1; });
  if (options.phases.empty() || options.devices < 1 || !days) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "a scenario needs devices, phases, and days in every phase");
  }
}

void check_phases(const ScenarioOptions& options, const std::vector<DaySlice>& slices) {
  auto slice = slices.begin();
  for (const DriftPhase& phase : options.phases) {
    const auto end = slice + static_cast<std::ptrdiff_t>(phase.days * options.devices);
    if (std::all_of(slice, end, [](const DaySlice& s) { return s.indices.empty(); })) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("phase '{}' would get no images: the field has none of its "
                                    "classes, or too few images for so many days",
                                    phase.name));
    }
    slice = end;
  }
}

}  // namespace

std::vector<DaySlice> deal_field(const Dataset& field,
                                 const ScenarioOptions& options,
                                 uint64_t seed) {
  check_options(options);
  core::Rng rng = core::Rng(seed).split("deal_field");
  const std::vector<DayKind> kinds = day_kinds(options, field.schema());
  const Lists by_class = indices_by_class(field, rng);
  const std::vector<Lists> dealt = deal_to_kinds(kinds, by_class, field, options, rng);
  std::vector<DaySlice> slices(static_cast<size_t>(options.total_days() * options.devices));
  for (size_t k = 0; k < kinds.size(); ++k) {
    const std::vector<int64_t> sequence = interleave(dealt[k], rng);
    const auto size = static_cast<int64_t>(sequence.size());
    const int64_t slots = static_cast<int64_t>(kinds[k].days.size()) * options.devices;
    for (int64_t slot = 0; slot < slots; ++slot) {
      const int64_t day = kinds[k].days[static_cast<size_t>(slot / options.devices)];
      const int64_t device = slot % options.devices;
      DaySlice& slice = slices[static_cast<size_t>((day - 1) * options.devices + device)];
      slice.day = day;
      slice.device = device;
      slice.indices.assign(
          sequence.begin() + static_cast<std::ptrdiff_t>(slot * size / slots),
          sequence.begin() + static_cast<std::ptrdiff_t>((slot + 1) * size / slots));
      rng.shuffle(std::span<int64_t>(slice.indices));
    }
  }
  check_phases(options, slices);
  return slices;
}

}  // namespace coppice::data
