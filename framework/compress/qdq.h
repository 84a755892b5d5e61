#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice::compress {

/// What an activation's integers mean. The zero point is 0.
struct ActivationRange {
  bool is_signed = false;  ///< i8 in steps of limit / 127, else u8 in steps of limit / 255
  double limit = 1;        ///< largest absolute value; > 0

  int64_t levels() const { return is_signed ? 127 : 255; }

  /// Never denormal, which engines may take for 0.
  float scale() const {
    return std::max(static_cast<float>(limit / static_cast<double>(levels())),
                    std::numeric_limits<float>::min());
  }
};

/// Where activations become integers.
struct QdqPlan {
  /// Quantised node outputs, each with the one whose scale it bears: itself, or what a MaxPool or
  /// Flatten reads where that is quantised too.
  std::map<std::string, std::string> scale_of;
  /// Conv and Gemm nodes that compute in int8, in graph order.
  std::vector<std::string> layers;
  bool per_channel = true;  ///< a weight has a scale for each output channel, all equal otherwise
};

struct PlanOptions {
  bool round_sums = false;
  bool per_channel = true;
  std::vector<std::string> float_layers = {};  ///< Conv and Gemm nodes that stay float
};

struct QuantiseOptions;
PlanOptions plan_options(const QuantiseOptions& options);

/// A layer's weight in integers: value = integer x scale of its output channel.
struct QuantisedWeight {
  graph::Tensor integers;  ///< i8, from -127 to 127
  std::vector<float> scales;
};

/// Chosen backwards from the layers that need integer inputs, so that what only the caller sees
/// (logits) stays float. Without `round_sums` an Add takes one layer's sums before they are
/// rounded. REQUIRES: BN folded where it can be, no dropout; shapes inferred. Throws
/// Error{NotFound} for a name in `float_layers` that no Conv or Gemm has.
QdqPlan plan_qdq(const graph::Model& model, const PlanOptions& options);

/// Rewrites a float model to QDQ. `ranges`: one for each distinct value of `plan.scale_of`.
/// `weights`: of layers whose integers are known already; the others are rounded to nearest.
/// The result verifies and holds no float copy of a quantised weight.
graph::Model insert_qdq(const graph::Model& model,
                        const QdqPlan& plan,
                        const std::map<std::string, ActivationRange>& ranges,
                        const std::map<std::string, QuantisedWeight>& weights = {});

}  // namespace coppice::compress
