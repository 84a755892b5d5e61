#pragma once

#include <string>
#include <vector>

#include "compress/low_rank.h"
#include "compress/low_rank/kernel.h"

namespace coppice::compress {

enum class Method { Keep, Svd, Tucker, Cp };

/// One layer that may be factored, and what is known of it before its parts are computed.
struct FactorCandidate {
  std::string node;
  Method method = Method::Keep;
  std::string reason = {};  ///< of Keep
  Kernel kernel = {};
  Vector values_out = {};      ///< singular values of the unfolding along outputs
  Vector values_in = {};       ///< along inputs
  int64_t pixels_in = 1;       ///< places at which a part before the kernel is computed
  int64_t pixels_between = 1;  ///< CP: behind the vertical part
  int64_t pixels_out = 1;
};

struct Ranks {
  int64_t out = 0;
  int64_t in = 0;
};

struct LayerCost {
  int64_t parameters = 0;  ///< of weights; the bias stays
  int64_t macs = 0;
};

/// The layers that the options choose, in graph order.
std::vector<FactorCandidate> find_candidates(const graph::Model& model,
                                             const LowRankOptions& options);

LayerCost whole_cost(const FactorCandidate& layer);
LayerCost parts_cost(const FactorCandidate& layer, const Ranks& ranks);

/// Ranks that keep a share of each unfolding's energy.
Ranks ranks_of_energy(const FactorCandidate& layer, double share, int64_t round_to);
Ranks ranks_of_vbmf(const FactorCandidate& layer, int64_t round_to);

/// Whether parts of these ranks are smaller and cheaper than the layer.
bool shrinks(const FactorCandidate& layer, const Ranks& ranks);

}  // namespace coppice::compress
