#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace coppice::graph {

struct Model;

/// For one sample (batch 1).
struct Cost {
  int64_t macs = 0;          ///< multiply-accumulates of Conv and Gemm
  int64_t parameters = 0;    ///< trainable values: conv, gemm and BN weights; no running statistics
                             ///< or quantisation constants
  int64_t weight_bytes = 0;  ///< of every weight, as stored
  int64_t activation_bytes = 0;  ///< peak of live node outputs when run in order

  bool operator==(const Cost&) const = default;
};

/// REQUIRES: shapes are inferred.
Cost cost(const Model& model);

/// MACs of every Conv and Gemm, by node name.
std::map<std::string, int64_t> macs_by_node(const Model& model);

/// Trainable values of every Conv, Gemm and BatchNorm, by node name; a weight that nodes share
/// counts for the first of them.
std::map<std::string, int64_t> parameters_by_node(const Model& model);

}  // namespace coppice::graph
