#include "compress/group_map.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "compress/channel_labels.h"
#include "core/error.h"

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
      if (dimension.weight.empty()) {
        group.counts.push_back({node, run.length});
        continue;
      }
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

/// Names it after its first producing node, with the range of channels where that produces several
/// groups.
void name_group(const graph::Model& model, ChannelGroup& group) {
  const auto first = std::find_if(
      group.slices.begin(), group.slices.end(), [](const auto& slice) { return slice.producer; });
  COPPICE_CHECK(first != group.slices.end(), "a group begins with a producer");
  group.parts = 0;
  for (const ChannelSlice& slice : group.slices) {
    const bool same = slice.node == first->node && slice.weight == first->weight &&
                      slice.dimension == first->dimension;
    group.parts += same ? 1 : 0;
  }
  const int64_t all = model.weight(first->weight).dim(first->dimension);
  const int64_t end = first->offset + group.channels * first->block;
  group.name = group.channels * group.parts * first->block == all
                   ? first->node
                   : fmt::format("{}[{}:{}]", first->node, first->offset, end);
}

}  // namespace

GroupMap map_groups(const graph::Model& model) {
  const ChannelLabels labels = label_channels(model);
  const std::vector<std::vector<Run>> runs = runs_by_root(labels);
  constexpr size_t kNone = static_cast<size_t>(-1);
  std::vector<std::optional<ChannelPlace>> place_of(labels.sets.size());  // by root
  GroupMap map;
  for (const LabelledDimension& dimension : labels.dimensions) {
    if (!dimension.producer) {
      continue;
    }
    size_t previous = kNone;
    for (const size_t label : dimension.labels) {
      const size_t root = labels.sets.root(label);
      if (place_of[root]) {  // seen: in this group's block, or tied to an earlier producer
        previous = root == previous ? previous : kNone;
        continue;
      }
      const bool extends = previous != kNone &&
                           labels.sets.pinned(previous) == labels.sets.pinned(root) &&
                           follows(runs[previous], runs[root]);
      if (!extends) {
        map.groups.push_back(start_group(model, labels, runs[root], labels.sets.pinned(root)));
      }
      place_of[root] = ChannelPlace{map.groups.size() - 1, map.groups.back().channels++};
      previous = root;
    }
  }
  for (ChannelGroup& group : map.groups) {
    name_group(model, group);
  }
  for (const auto& [node, positions] : labels.outputs) {
    std::set<size_t> own;
    for (const size_t label : positions) {
      const auto& place = place_of[labels.sets.root(label)];
      map.channels_of_node[node].push_back(place);
      if (place) {
        own.insert(place->group);
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
