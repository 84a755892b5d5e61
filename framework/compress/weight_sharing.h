#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/fields.h"
#include "graph/graph.h"

namespace coppice::compress {

/// How many values some layers' weights share.
struct LayerBits {
  std::string nodes;  ///< name of a node; * and ? stand for others
  int64_t bits = 5;

  void visit(core::Fields& f);
};

struct ShareOptions {
  int64_t conv_bits = 8;                  ///< 2^bits values of each convolution's weights
  int64_t linear_bits = 5;                ///< of each other layer's
  std::vector<LayerBits> layers = {};     ///< layers with bits of their own
  std::vector<std::string> exclude = {};  ///< layers whose weights stay as they are
  int64_t max_iterations = 100;           ///< of k-means

  void visit(core::Fields& f);
};

struct ShareReport {
  struct Row {
    std::string node;
    std::string weight;
    int64_t values = 0;
    int64_t zeros = 0;     ///< afterwards: a centre of exactly 0 adds to them
    int64_t shared = 0;    ///< different values besides zero, afterwards
    double rms_error = 0;  ///< of the weights that are not zero
  };

  std::vector<Row> rows;  ///< of the layers that share
};

/// Lloyd's k-means of numbers from centres that are spread evenly over their range, the start that
/// keeps large weights best (Han et al., ICLR 2016, section 3.2). A centre that no value is nearest
/// to vanishes. Returns ascending centres.
///
/// REQUIRES: values are finite, count > 0.
std::vector<double> cluster(std::span<const float> values, int64_t count, int64_t max_iterations);

/// Each layer's weights take few different values, the centres of their clusters, so that an
/// artefact is coded as a table and places in it (graph/transfer.h). Zeros stay zeros and take no
/// part, so that a pruned model stays pruned: bits b give at most 2^b values besides. Train
/// the values afterwards with `keep: shared`.
///
/// Throws Error{InvalidArgument} for a quantised model, for names that fit no layer, and where
/// every layer has as few values already; Error{Numeric} for weights that are not finite.
graph::Model share_weights(const graph::Model& model,
                           const ShareOptions& options,
                           ShareReport* report = nullptr);

}  // namespace coppice::compress
