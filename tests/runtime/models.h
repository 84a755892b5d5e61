#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/zoo.h"
#include "runtime/engine.h"

namespace coppice::runtime::testing {

/// Uniform values from a seeded stream; over the whole range for integers.
graph::Tensor random_floats(const graph::Shape& shape,
                            uint64_t seed,
                            double low = -1,
                            double high = 1);
graph::Tensor random_integers(graph::DType dtype, const graph::Shape& shape, uint64_t seed);

graph::Node make_node(std::string name,
                      graph::Op op,
                      std::vector<std::string> inputs,
                      graph::Attributes attributes = {});

/// An input per activation ("x0", "x1", …; batch from the tensors), weights and nodes; the last
/// node is the output.
graph::Model make_model(const std::vector<graph::Tensor>& activations,
                        graph::Weights weights,
                        std::vector<graph::Node> nodes);

/// A network of the zoo on `input`, with biases and batch-norm statistics that make a difference.
graph::Model random_network(const graph::ModelOptions& options,
                            const graph::ModelInput& input,
                            uint64_t seed);
graph::ModelInput image_input(int64_t channels,
                              int64_t size,
                              graph::DType dtype = graph::DType::U8);

struct QdqOptions {
  bool quantise_sums = false;  ///< also what a layer hands to an Add, not only the other operand
  bool quantise_logits = false;
  bool asymmetric = false;   ///< zero points that are not 0
  bool pool_scales = false;  ///< a MaxPool's output gets a scale of its own
};

/// Float model to QDQ by the ranges that `samples` give: i8 weights per channel, i32 biases, u8 or
/// i8 activations.
graph::Model to_qdq(const graph::Model& model,
                    const graph::Tensor& samples,
                    const QdqOptions& options = {});

/// Every output of one run; the batch is that of the inputs.
std::vector<graph::Tensor> run_engine(Engine& engine, const std::vector<graph::Tensor>& inputs);
std::vector<graph::Tensor> run_model(const graph::Model& model,
                                     const std::vector<graph::Tensor>& inputs,
                                     const std::string& backend);

/// Largest |a - b| of two f32 tensors, relative to the largest |b|.
double relative_difference(const graph::Tensor& a, const graph::Tensor& b);
/// Largest |a - b| of two 8-bit tensors.
int64_t largest_step(const graph::Tensor& a, const graph::Tensor& b);

}  // namespace coppice::runtime::testing
