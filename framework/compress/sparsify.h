#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/fields.h"
#include "graph/graph.h"

namespace coppice::compress {

/// The share of some layers' weights that become zero.
struct LayerShare {
  std::string nodes;  ///< name of a node; * and ? stand for others
  double share = 0;

  void visit(core::Fields& f);
};

struct SparsifyOptions {
  double share = 0.9;            ///< of all weights that are not excluded, zero afterwards
  std::string scope = "global";  ///< "global": the smallest of all layers; "layer": the smallest of
                                 ///< each
  double max_share_per_layer = 0.99;      ///< "global" never leaves a layer with fewer
  std::vector<LayerShare> layers = {};    ///< shares of their own, of each such layer
  std::vector<std::string> exclude = {};  ///< layers that stay as they are

  void visit(core::Fields& f);
};

struct SparsifyReport {
  struct Row {
    std::string node;
    std::string weight;
    int64_t values = 0;
    int64_t zeros_before = 0;
    int64_t zeros = 0;
  };

  std::vector<Row> rows;  ///< in graph order, excluded layers too
};

/// Sets the weights of smallest magnitude to zero (Han et al., NeurIPS 2015). That makes a model
/// smaller to send (graph/transfer.h), not faster: shapes stay as they are. Biases stay; what is
/// zero already counts. Of equal magnitudes the first go first.
///
/// Throws Error{InvalidArgument} for a quantised model, for names that fit no layer, when
/// max_share_per_layer doesn't let `share` be reached, and when no weight would become zero;
/// Error{Numeric} for weights that are not finite.
graph::Model sparsify(const graph::Model& model,
                      const SparsifyOptions& options,
                      SparsifyReport* report = nullptr);

/// The same, but where no weight would become zero it returns false.
bool sparsify_in_place(graph::Model& model,
                       const SparsifyOptions& options,
                       SparsifyReport* report = nullptr);

}  // namespace coppice::compress
