#pragma once

#include <cstdint>
#include <string_view>

#include "core/fields.h"

namespace coppice::edge {

/// Which inferences are worth sending home.
struct MinerOptions {
  double audit_share =
      0.01;  ///< of all inferences, at random: what field accuracy is estimated from
  double misclassified_share = 1;  ///< of inferences that feedback proved wrong
  double uncertain_share = 1;      ///< of inferences with a confidence below `uncertain_below`
  double uncertain_below = 0.5;

  void visit(core::Fields& f);
};

/// What the agent knows of one inference.
struct Observation {
  int64_t predicted = 0;
  double confidence = 0;  ///< largest softmax probability, 0…1
  int64_t feedback = -1;  ///< true class where the device learned it, else -1
};

enum class Reason { None, Audit, Misclassified, Uncertain };

std::string_view to_string(Reason reason);

struct Mined {
  Reason reason = Reason::None;
  /// That an observation like this is taken for this reason, in (0, 1] when taken: weighting the
  /// samples of one reason by its inverse gives unbiased totals of what that reason looks for
  /// (Horvitz and Thompson, 1952).
  double inclusion_probability = 0;
  double value = 0;  ///< the spool evicts the smallest first
};

/// The decision. `audit_draw` and `hard_draw` are independent and uniform in [0, 1). An audit is
/// drawn without regard to the observation, so audited samples alone give an unbiased estimate of
/// field accuracy; they are the most valuable in the spool. Among the others a confident mistake is
/// worth more than a hesitant one, and any known mistake more than mere doubt. What feedback proved
/// right is not uncertain.
Mined mine(const Observation& observation,
           const MinerOptions& options,
           double audit_draw,
           double hard_draw);

}  // namespace coppice::edge
