#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <utility>

#include "compress/channels.h"
#include "core/error.h"

namespace coppice::compress {

namespace {

using Mask = std::vector<bool>;  // true: the position is cut

[[noreturn]] void refuse(const ChannelGroup& group, const std::string& reason) {
  throw core::Error(core::ErrorKind::InvalidArgument,
                    "channel group '" + group.name + "': " + reason);
}

void check_keep(const ChannelGroup& group, const std::vector<int64_t>& keep) {
  if (keep.empty()) {
    refuse(group, "keep at least one channel");
  }
  if (std::adjacent_find(keep.begin(), keep.end(), std::greater_equal<>()) != keep.end()) {
    refuse(group, "channels to keep must ascend without repeats");
  }
  if (keep.front() < 0 || keep.back() >= group.channels) {
    refuse(group, "channels to keep must lie in [0, " + std::to_string(group.channels) + ")");
  }
  if (!group.prunable && std::ssize(keep) != group.channels) {
    refuse(group, "it reaches a model input or output and must stay whole");
  }
}

/// The tensor without the masked positions of one dimension.
graph::Tensor without(const graph::Tensor& tensor, size_t dimension, const Mask& cut) {
  graph::Shape shape = tensor.shape();
  size_t outer = 1;
  for (size_t i = 0; i < dimension; ++i) {
    outer *= static_cast<size_t>(shape[i]);
  }
  auto inner_bytes = static_cast<size_t>(graph::size_bytes(tensor.dtype()));
  for (size_t i = dimension + 1; i < shape.size(); ++i) {
    inner_bytes *= static_cast<size_t>(shape[i]);
  }
  shape[dimension] = std::count(cut.begin(), cut.end(), false);
  graph::Tensor result(tensor.dtype(), shape);
  const std::byte* from = tensor.bytes();
  std::byte* to = result.bytes();
  for (size_t o = 0; o < outer; ++o) {
    for (const bool gone : cut) {
      if (!gone) {
        std::memcpy(to, from, inner_bytes);
        to += inner_bytes;
      }
      from += inner_bytes;
    }
  }
  return result;
}

/// Marks the positions of a slice whose channels are not in `keep`.
void mark(const graph::Model& model,
          const ChannelGroup& group,
          const ChannelSlice& slice,
          const std::vector<int64_t>& keep,
          std::map<std::pair<std::string, size_t>, Mask>& masks) {
  const bool known = model.is_weight(slice.weight);
  const int64_t size = known && slice.dimension < model.weight(slice.weight).shape().size()
                           ? model.weight(slice.weight).dim(slice.dimension)
                           : 0;
  if (slice.offset < 0 || slice.block < 1 || slice.offset + group.channels * slice.block > size) {
    refuse(group,
           "it does not fit weight '" + slice.weight + "'; find the groups of this very model");
  }
  Mask& mask = masks[{slice.weight, slice.dimension}];
  mask.resize(static_cast<size_t>(size), false);
  auto kept = keep.begin();
  for (int64_t c = 0; c < group.channels; ++c) {
    if (kept != keep.end() && *kept == c) {
      ++kept;
      continue;
    }
    const auto first = mask.begin() + slice.offset + c * slice.block;
    std::fill(first, first + slice.block, true);
  }
}

/// Depthwise convolutions keep one convolution group per input channel; others keep their groups,
/// each of them narrower.
void update_convolution_groups(const graph::Model& before, graph::Model& after) {
  for (graph::Node& node : after.graph.nodes) {
    const bool transposed = node.op == graph::Op::ConvTranspose;
    if (node.op != graph::Op::Conv && !transposed) {
      continue;
    }
    int64_t& groups = transposed ? node.as<graph::ConvTransposeAttributes>().groups
                                 : node.as<graph::ConvAttributes>().groups;
    if (groups == 1 || !before.is_weight(node.inputs[1])) {
      continue;
    }
    const graph::Tensor& weight = before.weight(node.inputs[1]);
    const bool depthwise = transposed ? groups == weight.dim(0) : weight.dim(1) == 1;
    if (depthwise) {
      groups = groups * after.weight(node.inputs[1]).dim(0) / weight.dim(0);
    }
  }
}

/// Reshapes give fewer channels.
void update_reshapes(const ChannelGroup& group, int64_t cut, graph::Model& model) {
  for (const ChannelCount& count : group.counts) {
    graph::Node* node = model.graph.find(count.node);
    if (node == nullptr || node->op != graph::Op::Reshape) {
      refuse(group,
             "the model has no Reshape '" + count.node + "'; find the groups of this very model");
    }
    node->as<graph::ReshapeAttributes>().sample[0] -= cut * count.block;
  }
}

}  // namespace

graph::Model keep_channels(const graph::Model& model,
                           const std::vector<ChannelGroup>& groups,
                           const std::vector<std::vector<int64_t>>& keep) {
  if (groups.size() != keep.size()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "there are " + std::to_string(groups.size()) + " channel groups but " +
                          std::to_string(keep.size()) + " lists of channels to keep");
  }
  std::map<std::pair<std::string, size_t>, Mask> masks;
  for (size_t g = 0; g < groups.size(); ++g) {
    check_keep(groups[g], keep[g]);
    if (std::ssize(keep[g]) == groups[g].channels) {
      continue;
    }
    for (const ChannelSlice& slice : groups[g].slices) {
      mark(model, groups[g], slice, keep[g], masks);
    }
  }
  graph::Model result = model;
  for (size_t g = 0; g < groups.size(); ++g) {
    update_reshapes(groups[g], groups[g].channels - std::ssize(keep[g]), result);
  }
  for (const auto& [place, mask] : masks) {
    graph::Tensor& weight = result.weights.at(place.first);
    weight = without(weight, place.second, mask);
  }
  update_convolution_groups(model, result);
  graph::infer_shapes(result);
  graph::verify(result);
  return result;
}

}  // namespace coppice::compress
