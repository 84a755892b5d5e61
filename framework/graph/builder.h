#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/rng.h"
#include "graph/graph.h"

namespace coppice::graph {

/// Appends layers to a model, inventing names ("conv1", "bn1", …), shapes and initial weights.
/// Every method returns the new node's name; weights are named after it ("conv1.weight",
/// "bn1.mean").
///
/// Weights are drawn in `build`, from a stream of their own for each node: normal with variance 2 /
/// fan-in (He et al., ICCV 2015) where the next activation is a ReLU, 1 / fan-in elsewhere; biases
/// zero, BN at identity.
class Builder {
 public:
  Builder(DType input_dtype,
          Shape sample_shape,
          core::Rng rng);  ///< sample_shape without the batch

  const std::string& input() const;
  /// Cast to f32 and (x - mean) / std per channel (one value, or one per channel), as graph nodes.
  /// Throws Error{InvalidArgument} for another number of values or a std that is not positive.
  std::string normalise(const std::string& x,
                        const std::vector<double>& mean,
                        const std::vector<double>& std);
  std::string conv(const std::string& x,
                   int64_t out_channels,
                   const ConvAttributes& attributes,
                   bool bias);
  std::string gemm(const std::string& x,
                   int64_t out_features,
                   bool bias = true,
                   std::string name = "");
  std::string batch_norm(const std::string& x);
  std::string relu(const std::string& x);
  std::string max_pool(const std::string& x, const PoolAttributes& attributes = {});
  std::string global_average_pool(const std::string& x);
  std::string flatten(const std::string& x);
  std::string dropout(const std::string& x, double rate);
  std::string add(const std::string& a, const std::string& b);

  const Shape& shape(const std::string& name) const;
  /// Finishes with these outputs; infers and verifies.
  Model build(std::vector<std::string> outputs);

 private:
  std::string unused_name(const std::string& stem);
  std::string append(Node node);
  void initialise_weights();

  Model model_;
  core::Rng rng_;
  std::map<std::string, int64_t> counters_;
};

}  // namespace coppice::graph
