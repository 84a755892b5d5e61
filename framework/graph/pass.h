#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace coppice::graph {

/// Rewrites a model and leaves it valid.
///
/// A pass holds no state between calls: one instance may be shared by threads that rewrite
/// different models.
class Pass {
 public:
  virtual ~Pass() = default;

  /// Stable name for logs, configs and profiles.
  virtual std::string_view name() const = 0;

  /// Whether the result computes the same outputs (up to rounding).
  virtual bool preserves_function() const { return true; }

  /// REQUIRES: `model` verifies. ENSURES: the result verifies.
  virtual Model apply(Model model) const = 0;
};

struct PassTiming {
  std::string pass;
  double seconds = 0;
};

/// Runs passes in order, infers shapes and verifies after each; a broken result names the pass.
/// Passes named in `disabled` are left out; a name among them that no pass has is an
/// Error{InvalidArgument}.
Model run_passes(Model model,
                 const std::vector<std::unique_ptr<Pass>>& passes,
                 const std::vector<std::string>& disabled = {},
                 std::vector<PassTiming>* timings = nullptr);

/// BN into weight and bias of the Conv or Gemm before it, where the BN is the only consumer of that
/// node and all their weights are plain (not dequantised). Weights shared with other nodes are
/// copied. Throws Error{Numeric} naming node and channel for statistics that give no finite factor.
std::unique_ptr<Pass> make_fold_batch_norm();

/// Dropout is the identity in inference.
std::unique_ptr<Pass> make_remove_dropout();

/// Nodes that no output needs, weights that no node names. Inputs stay.
std::unique_ptr<Pass> make_remove_unused();

/// remove_dropout, fold_batch_norm, remove_unused: what an inference engine starts from.
std::vector<std::unique_ptr<Pass>> inference_passes();

}  // namespace coppice::graph
