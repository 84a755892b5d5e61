#pragma once

#include <vector>

#include "compress/channels.h"

namespace coppice::compress {

/// The values of a producing weight that make channel `c`: its filter, flat (of `block` filters for
/// a depthwise multiplier). REQUIRES: `slice.producer`. Throws Error{Unsupported} for a weight that
/// is not f32.
std::vector<float> producing_values(const graph::Model& model,
                                    const ChannelSlice& slice,
                                    int64_t c);

/// Sum of absolute producing weights (Li et al., Pruning Filters for Efficient ConvNets, ICLR
/// 2017).
std::vector<double> score_l1(const graph::Model& model, const ChannelGroup& group);

/// Euclidean norm of the producing weights.
std::vector<double> score_l2(const graph::Model& model, const ChannelGroup& group);

/// Sum of Euclidean distances to the group's other filters: the one nearest to their geometric
/// median is the most replaceable (FPGM, He et al., CVPR 2019).
std::vector<double> score_geometric_median(const graph::Model& model, const ChannelGroup& group);

/// Sum of |scale| of the group's batch normalisations (Network Slimming, Liu et al., ICCV 2017).
/// Throws Error{InvalidArgument} for a group without one.
std::vector<double> score_bn_scale(const graph::Model& model, const ChannelGroup& group);

/// Uniform in [0, 1), seeded from the group's name: the baseline that every criterion has to beat.
std::vector<double> score_random(const graph::Model& model, const ChannelGroup& group);

}  // namespace coppice::compress
