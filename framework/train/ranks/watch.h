#pragma once

#include <memory>

#include "core/error.h"
#include "train/ranks/board.h"
#include "train/ranks/rank_group.h"

namespace coppice::train {

/// A thread that tells the other ranks that this one lives, and learns from them whether the job is
/// over before its end: because one fell silent, or said why it ends.
class Watch {
 public:
  /// `board`: for this thread alone. Starts at once.
  Watch(std::shared_ptr<Board> board, const Placement& placement, const JoinOptions& options);
  /// The thread may outlive it: a board that vanished answers nobody.
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// Throws why the job is over, if it is.
  void check();

  /// A connection to another rank broke: waits until it is known which, and throws that.
  [[noreturn]] void explain(const std::string& broken);

  /// From now on this rank is silent.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Whether a rank gave any sign of life.
bool has_come(Board& board, int64_t rank);

/// This rank's silence means nothing any more.
void say_goodbye(Board& board, const Placement& placement);

/// Says why the job ends, unless another rank did before.
void say_why(Board& board, const Placement& placement, const core::Error& error);

}  // namespace coppice::train
