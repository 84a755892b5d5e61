#pragma once

#include <string>
#include <vector>

#include "compress/channels.h"
#include "compress/statistics.h"
#include "core/registry.h"

namespace coppice::compress {

/// What a criterion reads besides the weights.
enum class CriterionNeeds { Nothing, Activations, Gradients };

/// A pure function of model, group and statistics: one finite score per channel, higher = more
/// important.
struct Criterion {
  using Score = std::vector<double> (*)(const graph::Model&,
                                        const ChannelGroup&,
                                        const ChannelStatistics&);
  Score score;
  CriterionNeeds needs = CriterionNeeds::Nothing;
  /// Scores of different groups mean the same, so that they are ranked as they are; others are
  /// divided by their group's mean.
  bool comparable = false;
};

/// Every criterion by name.
const core::Registry<Criterion>& criteria();

/// Whether a criterion reads data: a prune job then takes an input "train". Throws Error{NotFound}.
bool needs_data(const std::string& criterion);

/// Scores of one group. Throws Error{NotFound} for an unknown criterion, Error{InvalidArgument}
/// where it needs statistics that are not there or are of another model, Error{Numeric} for weights
/// or statistics that are not finite.
std::vector<double> score_channels(const std::string& criterion,
                                   const graph::Model& model,
                                   const ChannelGroup& group,
                                   const Statistics* statistics = nullptr);

/// Channels in the order in which they go: lowest score first, the lower index at a tie.
std::vector<int64_t> weakest_first(const std::vector<double>& scores);

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

/// The squared norm of the producing weights over the sum of those of all channels that are not
/// weaker. LAMP (Lee et al., ICLR 2021) scores single weights of a layer so; here a channel's
/// filters, of all its producers, stand for a weight, and the group for the layer, as in
/// Torch-Pruning. The strongest channel of every group has 1, so groups compare as they are.
std::vector<double> score_lamp(const graph::Model& model, const ChannelGroup& group);

/// Mean magnitude of what the next layers read (Molchanov et al., ICLR 2017: mean activation).
std::vector<double> score_mean_activation(const ChannelStatistics& statistics);

/// Share of activations that are not zero: 1 - APoZ, the average percentage of zeros (Hu et al.,
/// Network Trimming, 2016).
std::vector<double> score_apoz(const ChannelStatistics& statistics);

/// Mean over samples of |sum of activation x gradient|: how much the loss changes, to first order,
/// when the channel goes (Molchanov et al., ICLR 2017, with the gates of CVPR 2019 around all
/// layers that make it, so that tied layers add up).
std::vector<double> score_taylor(const ChannelStatistics& statistics);

/// Half the mean square of the same: the rise of the loss to second order, with the Fisher
/// information as diagonal of the Hessian (Theis et al., 2018; Optimal Brain Damage, LeCun et al.,
/// NIPS 1990, for channels).
std::vector<double> score_fisher(const ChannelStatistics& statistics);

}  // namespace coppice::compress
