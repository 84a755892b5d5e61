#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/graph.h"

/// What a model becomes before memory and layouts are chosen: stages in order, each with all that
/// is fused into it.
namespace coppice::runtime::onednn {

/// Conv or Gemm with what follows it: dst = relu((sums + bias) * scales[channel] + residual *
/// residual_scale), and no more than the ceiling.
struct Product {
  bool is_conv = true;
  graph::ConvAttributes conv;
  graph::Tensor weight;       ///< f32 or i8
  std::vector<float> bias;    ///< in units of the sums; empty for none
  std::vector<float> scales;  ///< empty for f32
  bool has_residual = false;  ///< then it is the second input
  float residual_scale = 1;
  bool relu = false;
  float ceiling = std::numeric_limits<float>::infinity();  ///< where there is a relu
};

/// MaxPool or AveragePool in f32.
struct Pool {
  bool is_max = true;
  graph::PoolAttributes attributes;
};

/// MaxPool of 8-bit values.
struct ByteMaxPool {
  graph::PoolAttributes attributes;
};

/// A ReLU that could not be fused.
struct Rectify {};

enum class CurveKind { LeakyRelu, Clip, Sigmoid, Tanh, HardSwish, Silu, Gelu };

/// An element-wise function that could not be fused.
struct Curve {
  CurveKind kind = CurveKind::Sigmoid;
  float alpha = 0;  ///< slope, or lower limit
  float beta = 0;   ///< upper limit
};

/// Nearest neighbour by whole factors, of f32 or 8-bit values; or bilinear between pixels' centres.
struct Enlarge {
  bool linear = false;
};

/// ConvTranspose with constant weights.
struct Deconvolution {
  graph::ConvTransposeAttributes conv;
  graph::Tensor weight;
  std::vector<float> bias;  ///< empty for none
};

/// Product of two activations' last dimensions, or of one and a constant: [+ bias] [relu].
struct MatrixProduct {
  graph::Tensor weight;     ///< [k, p]; empty for two activations
  std::vector<float> bias;  ///< empty for none
  bool relu = false;
};

/// LayerNorm over the last dimensions.
struct LayerNorm {
  float epsilon = 1e-5F;
  graph::Tensor scale;
  graph::Tensor shift;
};

struct Softmax {
  int64_t axis = 1;
};

/// Dimensions in another order.
struct Transpose {
  graph::Shape order;
};

/// PRelu with one slope, or one per channel.
struct Slope {
  graph::Tensor slope;
};

/// f32 arithmetic of two activations of one shape, or of one with constants that spread over it.
struct Arithmetic {
  graph::Op op = graph::Op::Add;
  bool swapped = false;    ///< the constant is the left operand
  graph::Tensor constant;  ///< empty when there are two activations
};

/// LSTM or GRU with constant weights, as the graph's op has them.
struct Recurrent {
  bool is_lstm = false;
  bool reverse = false;
  graph::Tensor weight;
  graph::Tensor recurrent;
  graph::Tensor bias;  ///< empty for none
};

/// Any chain of element-wise ops from an 8-bit value: its result for each of the 256 values, per
/// channel or for all channels. Row c, column v (the byte read as unsigned) holds the result.
struct Lookup {
  graph::Tensor table;  ///< u8, i8 or f32 [1 or channels, 256]
};

/// f32 → 8-bit, zero point 0.
struct Quantise {
  float scale = 1;
};

/// 8-bit a + b → 8-bit: relu(a * scale_a + b * scale_b) / scale.
struct ByteAdd {
  float scale_a = 1;
  float scale_b = 1;
  float scale = 1;
  bool relu = false;
};

/// Mean over height and width of an 8-bit value, times the multiplier; 8-bit or f32 output.
struct ByteAverage {
  float multiplier = 1;
};

/// The same values under another shape (Flatten), or under another name.
struct Alias {};

/// Anything else: the reference kernel on dense row-major memory. Constants stand in the place of
/// activations.
struct Plain {
  graph::Node node;
  std::vector<graph::Tensor> constants;  ///< per operand; empty where it is an activation
};

using Work = std::variant<Product,
                          Pool,
                          ByteMaxPool,
                          Rectify,
                          Curve,
                          Enlarge,
                          Arithmetic,
                          Deconvolution,
                          MatrixProduct,
                          LayerNorm,
                          Softmax,
                          Transpose,
                          Slope,
                          Recurrent,
                          Lookup,
                          Quantise,
                          ByteAdd,
                          ByteAverage,
                          Alias,
                          Plain>;

/// "Product", "Lookup", …; of Plain the op: for profiles.
std::string_view name_of(const Work& work);

struct Stage {
  std::string output;
  graph::DType dtype = graph::DType::F32;
  graph::Shape shape;               ///< of the output, kBatch first
  std::vector<std::string> inputs;  ///< activations
  Work work;
};

/// REQUIRES: inference passes and keep_quantised applied. Throws Error{Unsupported} naming node and
/// op for a zero point that is not 0 or a dtype that oneDNN lacks.
std::vector<Stage> lower(const graph::Model& model);

}  // namespace coppice::runtime::onednn
