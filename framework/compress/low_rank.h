#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"
#include "graph/graph.h"

namespace coppice::compress {

struct LowRankOptions {
  /// "energy", "macs" or "parameters" (budgets of the whole model), "vbmf".
  std::string rank = "energy";
  double energy = 0.9;          ///< rank energy: share of the squared singular values that is kept
  double ratio = 0.5;           ///< rank macs, parameters: of the model after / before, at most
  std::string linear = "svd";   ///< "svd" or "none"
  std::string conv = "tucker";  ///< "tucker", "cp" or "none"
  int64_t round_to = 1;         ///< ranks are multiples of this, where they have room
  std::vector<std::string> layers = {"*"};  ///< names of nodes; * and ? stand for others
  std::vector<std::string> exclude = {};    ///< the same
  int64_t max_iterations = 200;             ///< of HOOI and ALS

  void visit(core::Fields& f);
};

struct LowRankReport {
  struct Row {
    std::string node;
    std::string method = {};  ///< "svd", "tucker", "cp"; empty for a layer that is left alone
    std::string reason = {};  ///< why it is
    int64_t rank_out = 0;
    int64_t rank_in = 0;  ///< of Tucker; else that of the outputs
    int64_t parameters_before = 0;
    int64_t parameters = 0;
    int64_t macs_before = 0;
    int64_t macs = 0;
    double error = 0;  ///< Frobenius norm of what the weight lost, relative to the weight's
  };

  std::vector<Row> rows;  ///< of the layers that `layers` and `exclude` choose, in graph order
};

/// Factors layers into several smaller ones:
/// - Gemm into two (SVD), and a 1x1 Conv into two;
/// - Conv into 1x1, kernel, 1x1 (Tucker-2 by higher-order orthogonal iteration, Kim et al., ICLR
///   2016);
/// - or Conv into 1x1, depthwise kx1, depthwise 1xk, 1x1 (CP by alternating least squares, Lebedev
///   et al., ICLR 2015).
///
/// Ranks come from the singular values of the weight, unfolded along outputs and inputs (CP takes
/// the larger of the two): by the share of energy kept; by the largest such share that holds a
/// budget, the same for all layers; or by variational Bayesian matrix factorisation, which tells
/// signal from noise (Nakajima et al., JMLR 2013).
///
/// A layer whose parts would have as many parameters or MACs is left alone, as are convolutions in
/// groups. The last part bears the layer's name, so that what follows it needs no change. Train the
/// result to recover. Deterministic.
///
/// Throws Error{InvalidArgument} for a quantised model, names that fit no layer, when no layer
/// would shrink, and for a budget that cannot be met; Error{Numeric} for weights that are not
/// finite.
graph::Model factorise(const graph::Model& model,
                       const LowRankOptions& options,
                       LowRankReport* report = nullptr);

}  // namespace coppice::compress
