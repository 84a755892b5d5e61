#include "train/ranks/rank_group.h"

namespace coppice::train {

std::unique_ptr<RankGroup> join_ranks(const Placement& /*placement*/,
                                      const JoinOptions& /*options*/) {
  throw core::Error(core::ErrorKind::Unsupported,
                    "this build trains in one process only: its libtorch has no c10d with Gloo, or "
                    "Gloo's headers were missing; install libgloo-dev and build again");
}

}  // namespace coppice::train
