#include "compress/prune.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "compress/cut_plan.h"
#include "compress/group_map.h"
#include "core/error.h"
#include "graph/cost.h"

namespace coppice::compress {

void PruneOptions::visit(core::Fields& f) {
  f.field(
      "criterion", criterion, {.help = "how channels are ranked", .choices = criteria().names()});
  f.field("macs_ratio",
          macs_ratio,
          {.help = "multiply-accumulates after / before, at most", .min = 0.001, .max = 1});
  f.field("max_share_per_group",
          max_share_per_group,
          {.help = "largest share of one group's channels that may go", .min = 0, .max = 1});
  f.field("min_channels", min_channels, {.help = "fewest channels that a group keeps", .min = 1});
  f.field("round_to",
          round_to,
          {.help = "keep a multiple of this where a group has as many", .min = 1});
  f.field("exclude", exclude, {.help = "names of nodes whose output channels all stay"});
}

namespace {

[[noreturn]] void refuse_pruning(const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument, "prune: " + message);
}

void check(const PruneOptions& options) {
  const auto in_unit = [](double value) {
    return value >= 0 && value <= 1;
  };
  if (!in_unit(options.macs_ratio) || options.macs_ratio <= 0) {
    refuse_pruning(fmt::format("macs_ratio is {}, it must lie in (0, 1]", options.macs_ratio));
  }
  if (!in_unit(options.max_share_per_group)) {
    refuse_pruning(fmt::format("max_share_per_group is {}, it must lie in [0, 1]",
                       options.max_share_per_group));
  }
  if (options.min_channels < 1 || options.round_to < 1) {
    refuse_pruning("min_channels and round_to must be at least 1");
  }
}

std::set<size_t> excluded_groups(const graph::Model& model,
                                 const GroupMap& map,
                                 const std::vector<std::string>& names) {
  std::set<size_t> excluded;
  for (const std::string& name : names) {
    const auto it = map.groups_of_node.find(name);
    if (it == map.groups_of_node.end()) {
      std::vector<std::string> known;
      for (const graph::Node& node : model.graph.nodes) {
        known.push_back(node.name);
      }
      refuse_pruning("exclude: the model has no node '" + name + "'" + core::did_you_mean(name, known));
    }
    excluded.insert(it->second.begin(), it->second.end());
  }
  return excluded;
}

/// Why a group stays whole, or "" when it can be cut.
std::string obstacle(const ChannelGroup& group, bool excluded, const PruneOptions& options) {
  if (!group.prunable) {
    return "reaches a model input or output";
  }
  if (excluded) {
    return "is excluded";
  }
  if (least_kept(group.channels, options) == group.channels) {
    return fmt::format(
        "has {} channels, of which min_channels {}, max_share_per_group {} and round_to {} let "
        "none go",
        group.channels,
        options.min_channels,
        options.max_share_per_group,
        options.round_to);
  }
  return "";
}

std::vector<double> score(const graph::Model& model,
                          const ChannelGroup& group,
                          Criterion criterion) {
  std::vector<double> scores = criterion(model, group);
  COPPICE_CHECK(std::ssize(scores) == group.channels, "a criterion gives one score per channel");
  if (!std::all_of(scores.begin(), scores.end(), [](double s) { return std::isfinite(s); })) {
    throw core::Error(core::ErrorKind::Numeric,
                      "prune: the weights of group '" + group.name + "' are not finite");
  }
  return scores;
}

CutPlan make_plan(const graph::Model& model, const GroupMap& map, const PruneOptions& options) {
  const Criterion criterion = criteria().get(options.criterion);
  const std::set<size_t> excluded = excluded_groups(model, map, options.exclude);
  std::vector<int64_t> channels;
  std::vector<std::vector<double>> scores;
  std::string reasons;
  bool any = false;
  for (size_t g = 0; g < map.groups.size(); ++g) {
    const ChannelGroup& group = map.groups[g];
    channels.push_back(group.channels);
    const std::string reason = obstacle(group, excluded.contains(g), options);
    scores.push_back(reason.empty() ? score(model, group, criterion) : std::vector<double>{});
    any = any || reason.empty();
    reasons += reason.empty() ? "" : fmt::format("; '{}' {}", group.name, reason);
  }
  if (!any && options.macs_ratio < 1) {
    refuse_pruning("nothing can be cut" +
           (map.groups.empty() ? "; the model has no Conv or Gemm" : reasons));
  }
  return {channels, scores, options};
}

}  // namespace

graph::Model prune(const graph::Model& model, const PruneOptions& options, PruneReport* report) {
  check(options);
  const GroupMap map = map_groups(model);
  const CutPlan plan = make_plan(model, map, options);
  const auto cut = [&](int64_t count) {
    return keep_channels(model, map.groups, plan.keep(count));
  };
  const int64_t macs_before = graph::cost(model).macs;
  const auto target = static_cast<int64_t>(
      std::floor(options.macs_ratio * static_cast<double>(macs_before) + 1e-6));
  const int64_t least = graph::cost(cut(plan.size())).macs;
  if (least > target) {
    refuse_pruning(fmt::format(
        "macs_ratio {} cannot be reached: the least is {:.4f} with max_share_per_group {}, "
        "min_channels {}, round_to {} and {} excluded names",
        options.macs_ratio,
        static_cast<double>(least) / static_cast<double>(macs_before),
        options.max_share_per_group,
        options.min_channels,
        options.round_to,
        options.exclude.size()));
  }
  int64_t low = 0;
  int64_t high = plan.size();  // enough; MACs never grow with the number of channels that go
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (graph::cost(cut(middle)).macs <= target) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  graph::Model result = cut(high);
  if (report != nullptr) {
    *report = {.rows = {}, .macs_before = macs_before, .macs_after = graph::cost(result).macs};
    const auto kept = plan.keep(high);
    for (size_t g = 0; g < map.groups.size(); ++g) {
      report->rows.push_back({map.groups[g].name, map.groups[g].channels, std::ssize(kept[g])});
    }
  }
  return result;
}

}  // namespace coppice::compress
