#include "compress/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "compress/criteria.h"
#include "compress/group_limits.h"
#include "core/error.h"
#include "graph/cost.h"
#include "runtime/engine.h"

namespace coppice::compress {

void SensitivityOptions::visit(core::Fields& f) {
  f.field(
      "criterion", criterion, {.help = "how channels are ranked", .choices = criteria().names()});
  f.field("shares", shares, {.help = "of a group's channels, cut", .min = 0.001, .max = 0.999});
  f.field("nodes", nodes, {.help = "names or patterns (* and ?) of nodes; empty: every group"});
  f.field("tolerance",
          tolerance,
          {.help = "how far the score may fall for a share to be bearable", .min = 0, .max = 1e9});
  f.field("samples", samples, {.help = "to evaluate on", .unit = "samples", .min = 1});
  f.field(
      "backend", backend, {.help = "of the device engine", .choices = runtime::backend_choices()});
  f.field("threads", threads, {.help = "threads of the engine", .min = 1, .max = 256});
  f.field("batch_size", batch_size, {.help = "samples in a run", .min = 1, .max = 65536});
  f.group("importance", importance, "data for the criteria that need some");
}

namespace {

[[noreturn]] void refuse_scan(const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument, "sensitivity: " + message);
}

/// All of every group but `cut`, which keeps its `count` most important channels.
std::vector<std::vector<int64_t>> all_but(const std::vector<ChannelGroup>& groups,
                                          size_t cut,
                                          const std::vector<int64_t>& weakest,
                                          int64_t count) {
  std::vector<std::vector<int64_t>> keep(groups.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    if (g == cut) {
      keep[g].assign(weakest.end() - count, weakest.end());
      std::sort(keep[g].begin(), keep[g].end());
    } else {
      for (int64_t c = 0; c < groups[g].channels; ++c) {
        keep[g].push_back(c);
      }
    }
  }
  return keep;
}

}  // namespace

Sensitivity sensitivity(const graph::Model& model,
                        const std::vector<ChannelGroup>& groups,
                        const std::vector<double>& shares,
                        const Evaluate& evaluate,
                        const std::string& criterion,
                        const Statistics* statistics) {
  for (const double share : shares) {
    if (!(share > 0 && share < 1)) {
      refuse_scan(fmt::format("share {} must lie between 0 and 1", share));
    }
  }
  const bool any = std::any_of(
      groups.begin(), groups.end(), [](const ChannelGroup& group) { return group.prunable; });
  if (!any || shares.empty()) {
    refuse_scan(any ? "no share is given" : "no group of channels can be cut");
  }
  Sensitivity scan{.score = evaluate(model), .rows = {}};
  const auto macs = static_cast<double>(graph::cost(model).macs);
  for (size_t g = 0; g < groups.size(); ++g) {
    const ChannelGroup& group = groups[g];
    if (!group.prunable) {
      continue;
    }
    const auto weakest = weakest_first(score_channels(criterion, model, group, statistics));
    for (const double share : shares) {
      const auto gone =
          static_cast<int64_t>(std::floor(share * static_cast<double>(group.channels) + 1e-9));
      const int64_t kept = std::max<int64_t>(1, group.channels - gone);
      const graph::Model cut = keep_channels(model, groups, all_but(groups, g, weakest, kept));
      scan.rows.push_back({.group = group.name,
                           .share = share,
                           .before = group.channels * group.parts,
                           .after = kept * group.parts,
                           .score = evaluate(cut),
                           .macs_ratio = static_cast<double>(graph::cost(cut).macs) / macs});
    }
  }
  return scan;
}

std::vector<ChannelGroup> groups_to_scan(const graph::Model& model,
                                         const std::vector<std::string>& patterns) {
  const GroupMap map = map_groups(model);
  std::vector<ChannelGroup> groups = map.groups;
  if (patterns.empty()) {
    return groups;
  }
  std::set<size_t> wanted;
  for (const std::string& pattern : patterns) {
    wanted.merge(groups_matching(model, map, "nodes", pattern));
  }
  for (size_t g = 0; g < groups.size(); ++g) {
    groups[g].prunable = groups[g].prunable && wanted.contains(g);
  }
  return groups;
}

std::vector<std::pair<std::string, double>> bearable_shares(const Sensitivity& scan,
                                                            double tolerance) {
  std::vector<std::pair<std::string, double>> result;
  for (const SensitivityRow& row : scan.rows) {
    if (!result.empty() && result.back().first == row.group) {
      continue;
    }
    double lost_from = 1;  // the smallest share that loses too much
    for (const SensitivityRow& other : scan.rows) {
      const bool borne = other.score >= scan.score - tolerance;  // not where it is no number
      if (other.group == row.group && !borne) {
        lost_from = std::min(lost_from, other.share);
      }
    }
    double bearable = 0;
    for (const SensitivityRow& other : scan.rows) {
      if (other.group == row.group && other.share < lost_from) {
        bearable = std::max(bearable, other.share);
      }
    }
    result.emplace_back(row.group, bearable);
  }
  return result;
}

}  // namespace coppice::compress
