#include "compress/group_map.h"

#include <algorithm>
#include <set>
#include <utility>

#include "compress/channel_labels.h"

namespace coppice::compress {

namespace {

/// Where one channel stands in a labelled dimension.
struct Run {
  size_t dimension;  // index into ChannelLabels::dimensions
  int64_t start;
  int64_t length;
};

/// For every set of channels, by root, the places it occupies.
std::vector<std::vector<Run>> runs_by_root(const ChannelLabels& labels) {
  std::vector<std::vector<Run>> runs(labels.sets.size());
  for (size_t d = 0; d < labels.dimensions.size(); ++d) {
    const Labels& positions = labels.dimensions[d].labels;
    for (size_t p = 0; p < positions.size(); ++p) {
      std::vector<Run>& own = runs[labels.sets.root(positions[p])];
      const auto at = static_cast<int64_t>(p);
      if (!own.empty() && own.back().dimension == d && own.back().start + own.back().length == at) {
        ++own.back().length;
      } else {
        own.push_back({d, at, 1});
      }
    }
  }
  return runs;
}

/// Whether `next` stands right behind `previous` at every place, so that both lie in one group.
bool follows(const std::vector<Run>& previous, const std::vector<Run>& next) {
  return std::equal(
      previous.begin(), previous.end(), next.begin(), next.end(), [](const Run& a, const Run& b) {
        return a.dimension == b.dimension && a.length == b.length && a.start + a.length == b.start;
      });
}

ChannelGroup start_group(const graph::Model& model,
                         const ChannelLabels& labels,
                         const std::vector<Run>& runs,
                         bool pinned) {
  ChannelGroup group;
  group.prunable = !pinned;
  for (const Run& run : runs) {
    const LabelledDimension& dimension = labels.dimensions[run.dimension];
    for (const std::string& node : dimension.nodes) {
      group.slices.push_back({.node = node,
                              .weight = dimension.weight,
                              .dimension = dimension.dimension,
                              .offset = run.start,
                              .block = run.length,
                              .producer = dimension.producer});
    }
  }
  // Slices come in the order of first use, which a weight shared with an earlier node can upset.
  const auto position = [&](const ChannelSlice& slice) {
    const auto& nodes = model.graph.nodes;
    return std::find_if(
        nodes.begin(), nodes.end(), [&](const auto& n) { return n.name == slice.node; });
  };
  std::stable_sort(
      group.slices.begin(), group.slices.end(), [&](const ChannelSlice& a, const ChannelSlice& b) {
        return position(a) < position(b);
      });
  return group;
}

/// The first producing node; with the range of its channels where it produces several groups.
std::string name_of(const graph::Model& model, const ChannelGroup& group) {
  for (const ChannelSlice& slice : group.slices) {
    if (slice.producer) {
      const int64_t end = slice.offset + group.channels * slice.block;
      const bool whole = end - slice.offset == model.weight(slice.weight).dim(slice.dimension);
      return whole ? slice.node
                   : slice.node + "[" + std::to_string(slice.offset) + ":" + std::to_string(end) +
                         "]";
    }
  }
  return {};
}

}  // namespace

GroupMap map_groups(const graph::Model& model) {
  const ChannelLabels labels = label_channels(model);
  const std::vector<std::vector<Run>> runs = runs_by_root(labels);
  constexpr size_t kNone = static_cast<size_t>(-1);
  std::vector<size_t> group_of(labels.sets.size(), kNone);  // by root
  GroupMap map;
  for (const LabelledDimension& dimension : labels.dimensions) {
    if (!dimension.producer) {
      continue;
    }
    size_t previous = kNone;
    for (const size_t label : dimension.labels) {
      const size_t root = labels.sets.root(label);
      if (group_of[root] !=
          kNone) {  // already seen: in this group's block, or tied to an earlier producer
        previous = root == previous ? previous : kNone;
        continue;
      }
      const bool extends = previous != kNone &&
                           labels.sets.pinned(previous) == labels.sets.pinned(root) &&
                           follows(runs[previous], runs[root]);
      if (!extends) {
        map.groups.push_back(start_group(model, labels, runs[root], labels.sets.pinned(root)));
      }
      ++map.groups.back().channels;
      group_of[root] = map.groups.size() - 1;
      previous = root;
    }
  }
  for (ChannelGroup& group : map.groups) {
    group.name = name_of(model, group);
  }
  for (const auto& [node, positions] : labels.outputs) {
    std::set<size_t> own;
    for (const size_t label : positions) {
      if (const size_t group = group_of[labels.sets.root(label)]; group != kNone) {
        own.insert(group);
      }
    }
    map.groups_of_node[node].assign(own.begin(), own.end());
  }
  return map;
}

std::vector<ChannelGroup> find_groups(const graph::Model& model) {
  return map_groups(model).groups;
}

}  // namespace coppice::compress
