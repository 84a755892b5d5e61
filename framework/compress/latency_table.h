#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/engine.h"

namespace coppice::compress {

/// Latencies of layers as a device measured them, from which the latency of networks follows that
/// the device never ran (NetAdapt, Yang et al., ECCV 2018).
///
/// As a file:
///
///     {"format": "coppice-latency-table-1", "device": "gateway-7", "backend": "onednn",
///      "layers": [{"kind": "Conv 3x3 stride 1x1 16x16 to 16x16", "in": 16, "out": 32,
///      "us": 41.5, "profiles": 1}]}
///
/// A kind is all of a layer but its channels: op, kernel, stride, dilation, groups and sizes of the
/// images; of the network's input the sample's shape. "us" is the mean of so many profiles; a table
/// that was loaded goes on to average as if it had never been saved. Without "profiles" it is 1.
class LatencyTable {
 public:
  std::string device;
  std::string backend;

  /// Adds what a profile tells: `model` is the engine's, `steps` are of runtime::measure_steps.
  /// What is fused into a layer, or follows it up to the next one, counts for the layer. Several
  /// profiles of the same layer are averaged. Throws Error{Unsupported} for the profile of a
  /// backend that times the whole network at once.
  void add(const graph::Model& model, std::span<const runtime::StepTime> steps);

  /// Microseconds of one sample: the sum over layers. Widths that the table does not have are
  /// interpolated between the nearest of their kind, linearly in the layer's work (input x output
  /// channels); beyond the last ones, latency is proportional to work. Throws Error{NotFound} for a
  /// layer of a kind that the table does not have.
  double predict(const graph::Model& model) const;

  std::string to_json() const;
  /// Throws Error{Corrupt} naming what is wrong.
  static LatencyTable from_json(const std::string& text);

 private:
  struct Width {
    int64_t in = 0;
    int64_t out = 0;

    auto operator<=>(const Width&) const = default;
  };

  struct Time {
    double mean_us = 0;
    int64_t profiles = 0;
  };

  struct Layer {
    std::string kind;
    Width width;
  };

  static Layer layer_of(const graph::Model& model, const graph::Node& node);
  static double work_of(const Width& width);
  double look_up(const Layer& layer, const std::string& node) const;

  std::map<std::string, std::map<Width, Time>> layers_;  ///< by kind
};

/// Throws Error{NotFound, Corrupt}.
LatencyTable load_latency_table(const std::filesystem::path& file);

}  // namespace coppice::compress
