#include "compress/prune.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compress/cut_plan.h"
#include "compress/group_map.h"
#include "core/error.h"
#include "graph/cost.h"

namespace coppice::compress {

namespace {

[[noreturn]] void refuse_pruning(const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument, "prune: " + message);
}

/// "macs_ratio 0.3", "latency of 0.5 of 812 us", "parameters of at most 10000".
std::string describe(const PruneOptions& options, const TargetOptions& target) {
  if (!options.target.given()) {
    return fmt::format("macs_ratio {}", options.macs_ratio);
  }
  return target.value > 0 ? fmt::format("target {} {:.10g}", target.metric, target.value)
                          : fmt::format("target {} ratio {}", target.metric, target.ratio);
}

/// What keeps the groups from getting smaller, one after the other.
std::string obstacles(const GroupMap& map, const std::vector<GroupLimit>& limits) {
  constexpr size_t kMost = 12;
  std::string text;
  for (size_t g = 0; g < limits.size(); ++g) {
    const GroupLimit& limit = limits[g];
    if (g == kMost) {
      return text + fmt::format("; and {} more groups", limits.size() - g);
    }
    if (limit.reason.starts_with("is ") || limit.reason.starts_with("reaches ")) {
      text += fmt::format("; '{}' {}", map.groups[g].name, limit.reason);
    } else {
      text += fmt::format("; '{}' has {} channels and keeps {} ({})",
                          map.groups[g].name,
                          limit.channels,
                          limit.least,
                          limit.reason);
    }
  }
  return text;
}

CutPlan make_plan(const graph::Model& model,
                  const GroupMap& map,
                  const std::vector<GroupLimit>& limits,
                  const PruneOptions& options,
                  const Statistics* statistics) {
  std::vector<std::vector<double>> scores(map.groups.size());
  for (size_t g = 0; g < map.groups.size(); ++g) {
    if (limits[g].least < limits[g].channels) {
      scores[g] = score_channels(options.criterion, model, map.groups[g], statistics);
    }
  }
  return {limits,
          scores,
          {.scope = options.scope, .comparable = criteria().get(options.criterion).comparable}};
}

void fill(PruneReport& report,
          const GroupMap& map,
          const std::vector<std::vector<int64_t>>& kept,
          const graph::Model& before,
          const graph::Model& after) {
  for (size_t g = 0; g < map.groups.size(); ++g) {
    const ChannelGroup& group = map.groups[g];
    report.rows.push_back(
        {group.name, group.channels * group.parts, std::ssize(kept[g]) * group.parts});
  }
  report.macs_before = graph::cost(before).macs;
  report.macs_after = graph::cost(after).macs;
}

}  // namespace

graph::Model prune(const graph::Model& model,
                   const PruneOptions& options,
                   PruneReport* report,
                   const PruneInputs& inputs) {
  check(options);
  if (options.schedule.steps > 1) {
    refuse_pruning(fmt::format(
        "schedule.steps is {}, but one pruning makes one step; give each its own, with recovery "
        "after it (ratios to the input 'reference')",
        options.schedule.steps));
  }
  const GroupMap map = map_groups(model);
  const std::vector<GroupLimit> limits = limits_of(model, map, options);
  const CutPlan plan = make_plan(model, map, limits, options, inputs.statistics);
  const TargetOptions target = target_of(options);
  const graph::Model& reference = inputs.reference == nullptr ? model : *inputs.reference;
  const Meter meter = inputs.meter ? inputs.meter : make_meter(target, reference);
  const auto cut = [&](int64_t count) {
    return keep_channels(model, map.groups, plan.keep(count));
  };
  const double before = meter(reference);
  // Ratios of whole numbers are not to fail by a rounding error.
  const double limit = target.value > 0 ? target.value : target.ratio * before * (1 + 1e-12) + 1e-6;
  std::map<int64_t, double> costs;  // a measurement is not repeated
  const auto cost = [&](int64_t count) {
    const auto known = costs.find(count);
    return known != costs.end() ? known->second : costs[count] = meter(cut(count));
  };
  const auto count = least_count(plan.size(), cost, limit);
  if (!count && plan.size() == 0) {
    refuse_pruning("nothing can be cut" + (map.groups.empty() ? "; the model has no Conv or Gemm"
                                                              : obstacles(map, limits)));
  }
  if (!count) {
    const double least = cost(plan.size());
    refuse_pruning(fmt::format("{} cannot be reached: the least is {:.4g}{}{}",
                               describe(options, target),
                               target.value > 0 ? least : least / before,
                               target.value > 0 ? fmt::format(" (unpruned {:.4g})", before) : "",
                               obstacles(map, limits)));
  }
  const bool met = before <= limit || (*count == 0 && inputs.reference == nullptr);
  if (target.value > 0 && met) {
    refuse_pruning(fmt::format("{} is met already: the model has {:.6g}; ask for less",
                               describe(options, target),
                               before));
  }
  graph::Model result = cut(*count);
  if (report != nullptr) {
    *report = {
        .rows = {}, .metric = target.metric, .cost_before = before, .cost_after = cost(*count)};
    fill(*report, map, plan.keep(*count), reference, result);
  }
  return result;
}

}  // namespace coppice::compress
