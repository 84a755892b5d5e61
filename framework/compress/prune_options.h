#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/prune_schedule.h"
#include "compress/statistics.h"
#include "core/fields.h"

namespace coppice::compress {

/// What a pruning is to reach. One of `ratio` and `value` is given.
struct TargetOptions {
  std::string metric = "macs";  ///< see visit
  double ratio = 0;             ///< of the unpruned model's, at most
  double value = 0;             ///< in the metric's unit, at most
  /// Whose bytes, memory and latency count: "float" or "int8", the same network quantised.
  std::string artefact = "float";
  std::string backend = "first";   ///< of the device engine
  int64_t threads = 1;             ///< of the engine
  int64_t runs = 60;               ///< timed runs of each candidate
  std::string latency_table = "";  ///< file (latency_table.h) instead of measuring here

  bool given() const { return ratio > 0 || value > 0; }

  void visit(core::Fields& f);
};

/// The largest share of certain groups that may go, in place of max_share_per_group.
struct CapOptions {
  std::string node = "";  ///< name or pattern of nodes that carry the channels
  double max_share = 0.5;

  void visit(core::Fields& f);
};

enum class PruneScope {
  Global,    ///< the weakest channels of all groups
  PerLayer,  ///< the same share of every group
};

/// How channels are chosen and how many. Patterns: * stands for any characters, ? for one.
struct PruneOptions {
  std::string criterion = "l2";  ///< see criteria()
  double macs_ratio = 0.5;       ///< target: MACs after / before, at most; unless `target` says
  double max_share_per_group = 0.85;  ///< never cut more of one group
  int64_t min_channels = 4;
  int64_t round_to = 1;                   ///< keep a multiple of this where a group has as many
  std::vector<std::string> exclude = {};  ///< nodes (names or patterns) whose groups stay whole
  PruneScope scope = PruneScope::Global;
  std::vector<CapOptions> caps = {};
  TargetOptions target = {};
  ScheduleOptions schedule = {};      ///< of a pipeline that recovers in between; see targets_of
  ImportanceOptions importance = {};  ///< for criteria that need data

  void visit(core::Fields& f);
};

/// `target`, or what macs_ratio stands for.
TargetOptions target_of(const PruneOptions& options);

/// Throws Error{InvalidArgument} for values out of range or that contradict each other.
void check(const PruneOptions& options);

}  // namespace coppice::compress
