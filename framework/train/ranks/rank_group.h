#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include <ATen/core/ATen_fwd.h>

#include "core/error.h"
#include "train/ranks/placement.h"

namespace coppice::train {

/// The processes that train one network together, as one of them sees them.
///
/// All ranks call sum() and leave() in the same order. One thread may use it.
class RankGroup {
 public:
  virtual ~RankGroup() = default;

  virtual const Placement& placement() const = 0;

  /// Replaces `values` by their sum over all ranks; everyone gets the same bits.
  ///
  /// REQUIRES: contiguous, of the same shape and dtype on every rank. Throws Error naming the rank
  /// that is lost, or with the kind and the words of one that failed.
  virtual void sum(at::Tensor& values) = 0;

  /// After the last sum() of a job that went well.
  virtual void leave() = 0;

  /// Before this rank ends in another way: the others end with its error within seconds.
  virtual void abandon(const core::Error& error) = 0;
};

struct JoinOptions {
  /// A rank that gives no sign of life for so long is lost; less than a third of it once the
  /// connection to it broke.
  std::chrono::milliseconds silence{10'000};
  std::chrono::milliseconds beat{1000};  ///< between two signs of life
  /// Called by another thread when the job is over and this rank has been too busy to notice for
  /// `silence`. To end the process.
  std::function<void(const core::Error&)> when_unheard = {};
};

/// Waits for all ranks, meeting at the placement's host and port: on a loopback address over the
/// loopback interface alone, else over GLOO_SOCKET_IFNAME's where that is set. CPU tensors are
/// summed by Gloo, CUDA's by NCCL where libtorch has it.
///
/// Throws Error{NotFound} naming the ranks that did not come, the error of a rank that is lost or
/// fails meanwhile, Error{Io} when the port is taken, Error{Unsupported} where libtorch lacks c10d
/// with Gloo.
std::unique_ptr<RankGroup> join_ranks(const Placement& placement, const JoinOptions& options);

}  // namespace coppice::train
