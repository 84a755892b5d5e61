#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "compress/channels.h"
#include "compress/statistics.h"
#include "core/fields.h"
#include "graph/graph.h"

namespace coppice::compress {

/// How much each group of channels bears (Li et al., ICLR 2017: sensitivity analysis).
struct SensitivityOptions {
  std::string criterion = "l2";
  std::vector<double> shares = {0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875};  ///< cut
  std::vector<std::string> nodes = {};  ///< names or patterns; empty: every prunable group
  double tolerance = 0.01;              ///< loss of the score that a cap may cost
  int64_t samples = 2000;               ///< that the score is of
  std::string backend = "first";        ///< of the device engine
  int64_t threads = 1;
  int64_t batch_size = 64;
  ImportanceOptions importance = {};

  void visit(core::Fields& f);
};

/// One group with one share of it gone, everything else whole.
struct SensitivityRow {
  std::string group;
  double share = 0;  ///< asked for
  int64_t before = 0;
  int64_t after = 0;  ///< channels that stay, at least one
  double score = 0;
  double macs_ratio = 0;
};

struct Sensitivity {
  double score = 0;  ///< of the whole network
  std::vector<SensitivityRow> rows;
};

/// What a network is worth: higher is better, such as its accuracy.
using Evaluate = std::function<double(const graph::Model&)>;

/// Cuts each group by each share, its least important channels first, and evaluates the network as
/// it is then, without recovery. Groups that are not prunable are left out. Throws
/// Error{InvalidArgument} where nothing is left to scan or a share is outside (0, 1), and what
/// score_channels throws.
Sensitivity sensitivity(const graph::Model& model,
                        const std::vector<ChannelGroup>& groups,
                        const std::vector<double>& shares,
                        const Evaluate& evaluate,
                        const std::string& criterion = "l2",
                        const Statistics* statistics = nullptr);

/// The model's groups, of which only those stay prunable that nodes of these names or patterns
/// carry; all of them without any. Throws Error{InvalidArgument} for one that matches no node.
std::vector<ChannelGroup> groups_to_scan(const graph::Model& model,
                                         const std::vector<std::string>& patterns);

/// By group, the largest share up to which no score is more than `tolerance` below the
/// whole network's; 0 where even the smallest is.
std::vector<std::pair<std::string, double>> bearable_shares(const Sensitivity& scan,
                                                            double tolerance);

}  // namespace coppice::compress
