#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"

namespace coppice::recipe {

/// The share of some layers' weights that become zero while training.
struct LayerSparsity {
  std::string nodes;  ///< name of a node; * and ? stand for others
  double share = 0;

  void visit(core::Fields& f);
};

/// Weights that become zero little by little while the others learn to do without them (Zhu and
/// Gupta, 2017): after a share p of the time between begin and end, initial_share + (share -
/// initial_share) (1 - (1 - p)^3) of them are. Zeros stay zero. The model becomes smaller to send,
/// not faster.
struct SparsityOptions {
  double share = 0;  ///< of the weights, zero in the end; 0: off
  double initial_share = 0;
  double begin = 0;                   ///< as a share of the run's steps
  double end = 0.75;                  ///< the same; the rest of the run recovers
  int64_t every_steps = 100;          ///< between two cuts
  std::string scope = "global";       ///< "global": the smallest of all layers; "layer": of each
  double max_share_per_layer = 0.99;  ///< "global" never leaves a layer with fewer
  std::vector<LayerSparsity> layers = {};  ///< final shares of their own
  std::vector<std::string> exclude = {};   ///< layers that are not cut

  bool any() const { return share > 0 || !layers.empty(); }

  void visit(core::Fields& f);
};

/// Share of the weights that are to be zero after `steps` of `total` steps; a layer's own final
/// share goes in place of options.share.
double sparsity_after(const SparsityOptions& options,
                      double final_share,
                      int64_t steps,
                      int64_t total);
/// Whether weights are cut after `steps` of `total` steps: every so many from begin on, and at the
/// end.
bool cuts_after(const SparsityOptions& options, int64_t steps, int64_t total);

}  // namespace coppice::recipe
