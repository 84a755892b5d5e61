#include "edge/miner.h"

#include <array>

namespace coppice::edge {

void MinerOptions::visit(core::Fields& f) {
  f.field("audit_share",
          audit_share,
          {.help = "share of all inferences sent at random, to estimate field accuracy",
           .min = 0,
           .max = 1});
  f.field("misclassified_share",
          misclassified_share,
          {.help = "share sent of inferences that feedback proved wrong", .min = 0, .max = 1});
  f.field("uncertain_share",
          uncertain_share,
          {.help = "share sent of inferences below `uncertain_below`", .min = 0, .max = 1});
  f.field("uncertain_below",
          uncertain_below,
          {.help = "confidence under which an inference is uncertain", .min = 0, .max = 1});
}

std::string_view to_string(Reason reason) {
  constexpr std::array<std::string_view, 4> kNames{"none", "audit", "misclassified", "uncertain"};
  return kNames.at(static_cast<size_t>(reason));
}

Mined mine(const Observation& observation,
           const MinerOptions& options,
           double audit_draw,
           double hard_draw) {
  if (audit_draw < options.audit_share) {
    return {Reason::Audit, options.audit_share, 3};
  }
  const double not_audited = 1 - options.audit_share;
  const bool known = observation.feedback >= 0;
  if (known && observation.feedback != observation.predicted) {
    if (hard_draw < options.misclassified_share) {
      return {Reason::Misclassified,
              not_audited * options.misclassified_share,
              1 + observation.confidence};
    }
  } else if (!known && observation.confidence < options.uncertain_below &&
             hard_draw < options.uncertain_share) {
    return {Reason::Uncertain, not_audited * options.uncertain_share, 1 - observation.confidence};
  }
  return {};
}

}  // namespace coppice::edge
