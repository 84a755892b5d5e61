#include <algorithm>

#include "compress/channel_labels.h"

namespace coppice::compress {

size_t ChannelSets::add(bool pinned) {
  parent_.push_back(parent_.size());
  pinned_.push_back(pinned);
  return parent_.size() - 1;
}

size_t ChannelSets::root(size_t channel) const {
  while (parent_[channel] != channel) {
    parent_[channel] = parent_[parent_[channel]];
    channel = parent_[channel];
  }
  return channel;
}

void ChannelSets::join(size_t a, size_t b) {
  a = root(a);
  b = root(b);
  if (a != b) {
    parent_[std::max(a, b)] = std::min(a, b);
    pinned_[std::min(a, b)] = pinned_[a] || pinned_[b];
  }
}

}  // namespace coppice::compress
