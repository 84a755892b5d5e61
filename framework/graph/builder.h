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
/// Weights are drawn in `build`, from a stream of their own for each node: normal with variance
/// next_gain / fan-in (initialise.h), which is 2 / fan-in before a ReLU (He et al., ICCV 2015);
/// biases zero, BN at identity.
class Builder {
 public:
  Builder(DType input_dtype,
          Shape sample_shape,
          core::Rng rng);  ///< sample_shape without the batch

  const std::string& input() const;
  /// Cast to f32 and (x - mean) / std per channel (one value, or one per channel), as graph nodes.
  /// Of features [batch, n] each is a channel. `name`: of the last node, where given. Throws
  /// Error{InvalidArgument} for another number of values or a std that is not positive.
  std::string normalise(const std::string& x,
                        const std::vector<double>& mean,
                        const std::vector<double>& std,
                        std::string name = "");
  std::string conv(const std::string& x,
                   int64_t out_channels,
                   const ConvAttributes& attributes,
                   bool bias);
  std::string gemm(const std::string& x,
                   int64_t out_features,
                   bool bias = true,
                   std::string name = "");
  /// `scale`: of every channel at first; 0 makes a residual block start as the identity (Goyal et
  /// al., 2017).
  std::string batch_norm(const std::string& x, double scale = 1);
  std::string relu(const std::string& x);
  /// An op of one activation that needs no weights, with its default attributes.
  std::string unary(Op op, const std::string& x);
  std::string leaky_relu(const std::string& x, double slope);
  std::string clip(const std::string& x, double low, double high);  ///< (0, 6) is ReLU6
  std::string silu(std::string x);                                  ///< x sigmoid(x)
  std::string gelu(std::string x);  ///< x (1 + erf(x / sqrt(2))) / 2
  std::string max_pool(const std::string& x, const PoolAttributes& attributes = {});
  std::string average_pool(const std::string& x, const PoolAttributes& attributes = {});
  std::string global_average_pool(const std::string& x);
  std::string flatten(const std::string& x);
  std::string resize(const std::string& x, const Shape& scale);
  std::string reshape(const std::string& x, const Shape& sample, std::string name = "");
  std::string slice(const std::string& x, const SliceAttributes& attributes);
  std::string dropout(const std::string& x, double rate, DropoutGrain grain = DropoutGrain::Value);
  std::string add(const std::string& a, const std::string& b);
  std::string multiply(const std::string& a, const std::string& b);
  std::string concat(const std::vector<std::string>& parts, int64_t axis = 1);
  /// Gives the newest node another name. Throws Error{InvalidArgument} when it is taken.
  std::string rename_last(const std::string& name);

  const Shape& shape(const std::string& name) const;
  const std::string& last() const;  ///< the newest node
  /// Finishes with these outputs; infers and verifies.
  Model build(std::vector<std::string> outputs);

 private:
  std::string unused_name(const std::string& stem);
  std::string append(Node node);
  std::string append(const char* stem,
                     Op op,
                     std::vector<std::string> inputs,
                     Attributes attributes);
  /// A node of an activation and a constant.
  std::string with_constant(Op op, std::string name, const std::string& x, Tensor value);
  void initialise_weights();

  Model model_;
  core::Rng rng_;
  std::map<std::string, int64_t> counters_;
};

}  // namespace coppice::graph
