#include "compress/prune_options.h"

#include <fmt/format.h>

#include "compress/criteria.h"
#include "core/error.h"
#include "runtime/engine.h"

namespace coppice::compress {

void ImportanceOptions::visit(core::Fields& f) {
  f.field("samples",
          samples,
          {.help = "of the training data, to judge channels by", .unit = "samples", .min = 1});
  f.field("batch_size", batch_size, {.help = "samples at once", .min = 1, .max = 65536});
}

void TargetOptions::visit(core::Fields& f) {
  f.field("metric",
          metric,
          {.help = "macs, parameters; bytes of the weights, peak_memory (bytes of the engine's "
                   "arena) and latency (microseconds of one sample) of the artefact that ships",
           .choices = {"macs", "parameters", "bytes", "peak_memory", "latency"}});
  f.field("ratio", ratio, {.help = "after / before, at most; 0: not given", .min = 0, .max = 1});
  f.field("value",
          value,
          {.help = "at most, in the metric's own unit; 0: not given", .min = 0, .max = 1e18});
  f.field("artefact",
          artefact,
          {.help = "what bytes, peak_memory and latency are of", .choices = {"float", "int8"}});
  f.field("backend",
          backend,
          {.help = "of the device engine that is measured", .choices = runtime::backend_choices()});
  f.field("threads", threads, {.help = "of the engine", .min = 1, .max = 256});
  f.field("runs", runs, {.help = "timed runs of each candidate", .min = 5, .max = 1e6});
  f.field("latency_table",
          latency_table,
          {.help = "JSON file of a device's latencies by layer; empty: measure here"});
}

void CapOptions::visit(core::Fields& f) {
  f.field("node", node, {.help = "name or pattern (* and ?) of nodes", .required = true});
  f.field("max_share",
          max_share,
          {.help = "largest share of channels that may go", .min = 0, .max = 1});
}

void PruneOptions::visit(core::Fields& f) {
  f.field(
      "criterion", criterion, {.help = "how channels are ranked", .choices = criteria().names()});
  f.field("macs_ratio",
          macs_ratio,
          {.help = "multiply-accumulates after / before, at most; unread where target gives a "
                   "ratio or a value",
           .min = 0.001,
           .max = 1});
  f.field("max_share_per_group",
          max_share_per_group,
          {.help = "largest share of one group's channels that may go", .min = 0, .max = 1});
  f.field("min_channels", min_channels, {.help = "fewest channels that a group keeps", .min = 1});
  f.field("round_to",
          round_to,
          {.help = "keep a multiple of this where a group has as many", .min = 1});
  f.field("exclude",
          exclude,
          {.help = "names or patterns (* and ?) of nodes whose output channels all stay"});
  static constexpr std::pair<PruneScope, std::string_view> kScopes[] = {
      {PruneScope::Global, "global"}, {PruneScope::PerLayer, "per_layer"}};
  f.choice(
      "scope",
      scope,
      kScopes,
      {.help = "global: the weakest channels of all groups; per_layer: the same share of each"});
  f.list("caps", caps, "largest shares of certain groups, in place of max_share_per_group");
  f.group("target", target, "a budget other than macs_ratio");
  f.group("schedule", schedule, "in several steps, with recovery after each");
  f.group("importance", importance, "data for the criteria that need some");
}

TargetOptions target_of(const PruneOptions& options) {
  TargetOptions target = options.target;
  if (!target.given()) {
    target.metric = "macs";
    target.ratio = options.macs_ratio;
  }
  return target;
}

namespace {

[[noreturn]] void refuse_option(const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument, "prune: " + message);
}

void check_share(const std::string& name, double value) {
  if (!(value >= 0 && value <= 1)) {
    refuse_option(fmt::format("{} is {}, it must lie in [0, 1]", name, value));
  }
}

}  // namespace

void check(const PruneOptions& options) {
  if (!(options.macs_ratio > 0 && options.macs_ratio <= 1)) {
    refuse_option(fmt::format("macs_ratio is {}, it must lie in (0, 1]", options.macs_ratio));
  }
  check_share("max_share_per_group", options.max_share_per_group);
  for (const CapOptions& cap : options.caps) {
    check_share("max_share of cap '" + cap.node + "'", cap.max_share);
  }
  if (options.min_channels < 1 || options.round_to < 1) {
    refuse_option("min_channels and round_to must be at least 1");
  }
  const TargetOptions& target = options.target;
  check_share("target.ratio", target.ratio);
  if (!(target.value >= 0)) {
    refuse_option(fmt::format("target.value is {}, it must not be negative", target.value));
  }
  if (target.ratio > 0 && target.value > 0) {
    refuse_option("target: give ratio or value, not both");
  }
  if (!target.given() && target.metric != "macs") {
    refuse_option("target: metric " + target.metric + " needs a ratio or a value");
  }
}

}  // namespace coppice::compress
