#include "compress/group_limits.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "compress/name_pattern.h"
#include "core/error.h"

namespace coppice::compress {

namespace {

[[noreturn]] void refuse_name(const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument, "prune: " + message);
}

}  // namespace

int64_t GroupLimit::in_steps(int64_t kept) const {
  return channels < step ? kept : std::min((kept + step - 1) / step * step, channels);
}

std::set<size_t> groups_matching(const graph::Model& model,
                                 const GroupMap& map,
                                 const std::string& field,
                                 const std::string& pattern) {
  std::set<size_t> groups;
  bool matched = false;
  std::vector<std::string> known;
  for (const graph::Node& node : model.graph.nodes) {
    known.push_back(node.name);
    if (node.name == pattern || matches(pattern, node.name)) {
      matched = true;
      const auto& own = map.groups_of_node.at(node.name);
      groups.insert(own.begin(), own.end());
    }
  }
  if (!matched) {
    refuse_name(pattern.find_first_of("*?") == std::string::npos
                    ? field + ": the model has no node '" + pattern + "'" +
                          core::did_you_mean(pattern, known)
                    : field + ": no node of the model matches '" + pattern + "'");
  }
  if (groups.empty()) {
    refuse_name(field + ": '" + pattern + "' carries no layer's channels");
  }
  return groups;
}

GroupLimit limit_of(const ChannelGroup& group,
                    double max_share,
                    const PruneOptions& options,
                    const std::string& cap) {
  const int64_t channels = group.channels;
  GroupLimit limit{.channels = channels,
                   .step = options.round_to / std::gcd(options.round_to, group.parts)};
  const auto cuttable =
      static_cast<int64_t>(std::floor(max_share * static_cast<double>(channels) + 1e-9));
  const int64_t fewest = (options.min_channels + group.parts - 1) / group.parts;
  const int64_t kept = std::min(std::max({fewest, channels - cuttable, int64_t{1}}), channels);
  limit.least = limit.in_steps(kept);
  limit.reason = channels - cuttable >= fewest
                     ? fmt::format("{} {}", cap, max_share)
                     : fmt::format("min_channels {}", options.min_channels);
  if (limit.least > kept) {
    limit.reason += fmt::format(" and round_to {}", options.round_to);
  }
  return limit;
}

std::vector<GroupLimit> limits_of(const graph::Model& model,
                                  const GroupMap& map,
                                  const PruneOptions& options) {
  std::vector<double> shares(map.groups.size(), options.max_share_per_group);
  std::vector<std::string> caps(map.groups.size(), "max_share_per_group");
  std::vector<bool> capped(map.groups.size(), false);
  for (const CapOptions& cap : options.caps) {
    for (const size_t g : groups_matching(model, map, "caps", cap.node)) {
      if (!capped[g] || cap.max_share < shares[g]) {  // of several caps the tightest
        shares[g] = cap.max_share;
        caps[g] = "cap '" + cap.node + "'";
        capped[g] = true;
      }
    }
  }
  std::vector<GroupLimit> limits;
  for (size_t g = 0; g < map.groups.size(); ++g) {
    const ChannelGroup& group = map.groups[g];
    limits.push_back(limit_of(group, shares[g], options, caps[g]));
    if (!group.prunable) {
      limits.back().least = group.channels;
      limits.back().reason = "reaches a model input or output, or ops that need all of it";
    }
  }
  for (const std::string& name : options.exclude) {
    for (const size_t g : groups_matching(model, map, "exclude", name)) {
      limits[g].least = map.groups[g].channels;
      limits[g].reason = "is excluded";
    }
  }
  return limits;
}

}  // namespace coppice::compress
