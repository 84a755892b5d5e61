#include "compress/group_taps.h"

#include <algorithm>

#include "compress/group_map.h"
#include "graph/elementwise.h"

namespace coppice::compress {

namespace {

using graph::Node;
using graph::Op;

bool is_depthwise(const graph::Model& model, const Node& node) {
  const graph::Tensor& weight = model.weight(node.inputs[1]);
  switch (node.op) {
    case Op::Conv:
      return node.as<graph::ConvAttributes>().groups > 1 && weight.dim(1) == 1;
    case Op::ConvTranspose:
      return node.as<graph::ConvTransposeAttributes>().groups > 1 &&
             node.as<graph::ConvTransposeAttributes>().groups == weight.dim(0);
    default:
      return false;
  }
}

/// Whether the node changes each value of one activation by itself.
bool is_pointwise(const graph::Model& model, const Node& node) {
  switch (node.op) {
    case Op::BatchNorm:
    case Op::PRelu:
    case Op::Dropout:
      return true;
    case Op::Add:
    case Op::Sub:
    case Op::Mul:
    case Op::Div:
      return model.is_weight(node.inputs[0]) || model.is_weight(node.inputs[1]);
    default:
      return graph::is_unary_elementwise(node.op);
  }
}

/// Whether the node pools values or puts them elsewhere.
bool moves_values(Op op) {
  switch (op) {
    case Op::MaxPool:
    case Op::AveragePool:
    case Op::GlobalAveragePool:
    case Op::ReduceMean:
    case Op::Flatten:
    case Op::Reshape:
    case Op::Resize:
    case Op::Pad:
    case Op::Slice:
    case Op::Transpose:
    case Op::Dropout:
      return true;
    default:
      return false;
  }
}

class TapFinder {
 public:
  TapFinder(const graph::Model& model, const GroupMap& map) : model_(model), map_(map) {}

  GroupTaps taps_of(size_t group) const {
    const ChannelGroup& channels = map_.groups[group];
    GroupTaps taps{.group = channels.name, .channels = channels.channels, .made = {}, .read = {}};
    for (const ChannelSlice& slice : channels.slices) {
      const Node& node = model_.graph.at(slice.node);
      const bool layer = node.op == Op::Conv || node.op == Op::ConvTranspose || node.op == Op::Gemm;
      if (!layer || slice.weight != node.inputs[1] || is_depthwise(model_, node)) {
        continue;
      }
      if (slice.producer) {
        add(taps.made, group, last_pointwise(node));
      } else {
        add_origins(taps.read, group, model_.graph.at(node.inputs[0]));
      }
    }
    if (taps.read.empty()) {
      taps.read = taps.made;
    }
    return taps;
  }

 private:
  const Node& last_pointwise(const Node& from) const {
    const Node* node = &from;
    while (true) {
      const auto readers = model_.graph.consumers(node->name);
      const auto& outputs = model_.graph.outputs;
      const bool output = std::find(outputs.begin(), outputs.end(), node->name) != outputs.end();
      if (output || readers.size() != 1 || !is_pointwise(model_, *readers[0])) {
        return *node;
      }
      node = readers[0];
    }
  }

  void add_origins(std::vector<Tap>& taps, size_t group, const Node& node) const {
    if (node.op == Op::Concat) {
      for (const std::string& input : node.inputs) {
        const auto& own = map_.groups_of_node.at(input);
        if (std::binary_search(own.begin(), own.end(), group)) {
          add_origins(taps, group, model_.graph.at(input));
        }
      }
    } else if (moves_values(node.op)) {
      add_origins(taps, group, model_.graph.at(node.inputs[0]));
    } else {
      add(taps, group, node);
    }
  }

  void add(std::vector<Tap>& taps, size_t group, const Node& node) const {
    const auto known = [&](const Tap& tap) {
      return tap.node == node.name;
    };
    if (std::any_of(taps.begin(), taps.end(), known)) {
      return;
    }
    Tap tap{.node = node.name, .channels = {}};
    for (const auto& place : map_.channels_of_node.at(node.name)) {
      tap.channels.push_back(place && place->group == group ? place->channel : -1);
    }
    taps.push_back(std::move(tap));
  }

  const graph::Model& model_;
  const GroupMap& map_;
};

}  // namespace

std::vector<GroupTaps> find_taps(const graph::Model& model) {
  const GroupMap map = map_groups(model);
  const TapFinder finder(model, map);
  std::vector<GroupTaps> taps;
  for (size_t g = 0; g < map.groups.size(); ++g) {
    if (map.groups[g].prunable) {
      taps.push_back(finder.taps_of(g));
    }
  }
  return taps;
}

}  // namespace coppice::compress
