#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/tensor.h"

/// Every op, once: enumerator, ONNX name, least and most number of inputs. Enum, names, shape
/// inference (infer_shape.cpp), cost, reference kernels (runtime), lowering (train) and the
/// coverage tests follow from this table. Conv: x, weight [out, in/groups, kh, kw], bias?  Gemm: x
/// [n, in], weight [out, in], bias?  (transB = 1) BatchNorm: x, scale, bias, mean, variance.
/// QuantizeLinear, DequantizeLinear: x, scale, zero point (both weights; the zero point's dtype is
/// that of the quantised side). DequantizeLinear also takes a weight as x: its output has the
/// weight's shape, without a batch, and is the one constant that Conv and Gemm take in place of a
/// weight. All other x are activations: f32 with the batch first, but for the input of a Cast.
/// Data over time [channels, time] becomes an image of height 1 by Reshape; kernels are [1, k]
/// then, and a causal convolution pads the left only.
#define COPPICE_OPS(X)                            \
  X(Input, "Input", 0, 0)                         \
  X(Cast, "Cast", 1, 1)                           \
  X(Add, "Add", 2, 2)                             \
  X(Sub, "Sub", 2, 2)                             \
  X(Mul, "Mul", 2, 2)                             \
  X(Div, "Div", 2, 2)                             \
  X(Conv, "Conv", 2, 3)                           \
  X(Gemm, "Gemm", 2, 3)                           \
  X(BatchNorm, "BatchNormalization", 5, 5)        \
  X(Relu, "Relu", 1, 1)                           \
  X(LeakyRelu, "LeakyRelu", 1, 1)                 \
  X(Clip, "Clip", 1, 1)                           \
  X(Sigmoid, "Sigmoid", 1, 1)                     \
  X(Tanh, "Tanh", 1, 1)                           \
  X(HardSwish, "HardSwish", 1, 1)                 \
  X(Erf, "Erf", 1, 1)                             \
  X(MaxPool, "MaxPool", 1, 1)                     \
  X(AveragePool, "AveragePool", 1, 1)             \
  X(GlobalAveragePool, "GlobalAveragePool", 1, 1) \
  X(Resize, "Resize", 1, 1)                       \
  X(Flatten, "Flatten", 1, 1)                     \
  X(Reshape, "Reshape", 1, 1)                     \
  X(Slice, "Slice", 1, 1)                         \
  X(Concat, "Concat", 1, 64)                      \
  X(Dropout, "Dropout", 1, 1)                     \
  X(Softmax, "Softmax", 1, 1)                     \
  X(QuantizeLinear, "QuantizeLinear", 3, 3)       \
  X(DequantizeLinear, "DequantizeLinear", 3, 3)

namespace coppice::graph {

enum class Op {
#define COPPICE_OP_ENUM(name, onnx, least, most) name,
  COPPICE_OPS(COPPICE_OP_ENUM)
#undef COPPICE_OP_ENUM
};

struct OpInfo {
  Op op;
  std::string_view name;
  std::string_view onnx_name;
  int least_inputs;
  int most_inputs;
};

const std::vector<OpInfo>& all_ops();
const OpInfo& info(Op op);

inline std::string_view to_string(Op op) {
  return info(op).name;
}

/// Attributes, by op. Spatial lists are [height, width]; pads are [top, left, bottom, right] as in
/// ONNX.
struct NoAttributes {
  bool operator==(const NoAttributes&) const = default;
};

struct InputAttributes {
  DType dtype = DType::F32;
  Shape shape;  ///< with the batch first, as kBatch
  bool operator==(const InputAttributes&) const = default;
};

struct CastAttributes {
  DType to = DType::F32;
  bool operator==(const CastAttributes&) const = default;
};

struct ConvAttributes {
  Shape kernel{1, 1};
  Shape stride{1, 1};
  Shape pads{0, 0, 0, 0};
  Shape dilation{1, 1};
  int64_t groups = 1;
  bool operator==(const ConvAttributes&) const = default;
};

struct BatchNormAttributes {
  float epsilon = 1e-5F;
  bool operator==(const BatchNormAttributes&) const = default;
};

struct PoolAttributes {  ///< pads are smaller than the kernel; an average leaves padding out
  Shape kernel{2, 2};
  Shape stride{2, 2};
  Shape pads{0, 0, 0, 0};
  bool operator==(const PoolAttributes&) const = default;
};

struct AxisAttributes {  ///< Concat, Softmax, QuantizeLinear, DequantizeLinear (per-channel when
                         ///< the scale has many values)
  int64_t axis = 1;
  bool operator==(const AxisAttributes&) const = default;
};

/// What a Dropout zeroes at once, together.
enum class DropoutGrain {
  Value,    ///< single values (Srivastava et al., JMLR 2014)
  Channel,  ///< whole channels of a sample: spatial dropout (Tompson et al., CVPR 2015)
  Sample,   ///< all of a sample: stochastic depth of a residual branch (Huang et al., ECCV 2016)
};

struct DropoutAttributes {
  float rate = 0.5F;  ///< share zeroed in training, the rest is scaled up; identity in inference
  DropoutGrain grain = DropoutGrain::Value;
  bool operator==(const DropoutAttributes&) const = default;
};

struct LeakyReluAttributes {
  float slope = 0.01F;  ///< of negative values
  bool operator==(const LeakyReluAttributes&) const = default;
};

struct ClipAttributes {  ///< ReLU6 by default
  float low = 0;
  float high = 6;
  bool operator==(const ClipAttributes&) const = default;
};

struct ResizeAttributes {  ///< every pixel becomes height x width equal ones (nearest neighbour)
  Shape scale{2, 2};
  bool operator==(const ResizeAttributes&) const = default;
};

struct ReshapeAttributes {
  Shape sample;  ///< the new shape without the batch, of at least two dimensions
  bool operator==(const ReshapeAttributes&) const = default;
};

struct SliceAttributes {  ///< positions [start, end) of one axis, which is not the batch
  int64_t axis = 1;
  int64_t start = 0;
  int64_t end = 1;
  bool operator==(const SliceAttributes&) const = default;
};

using Attributes = std::variant<NoAttributes,
                                InputAttributes,
                                CastAttributes,
                                ConvAttributes,
                                BatchNormAttributes,
                                PoolAttributes,
                                AxisAttributes,
                                DropoutAttributes,
                                LeakyReluAttributes,
                                ClipAttributes,
                                ResizeAttributes,
                                ReshapeAttributes,
                                SliceAttributes>;

/// The kind of attributes that an op takes, at their defaults. A node with another kind does not
/// verify.
Attributes default_attributes(Op op);

}  // namespace coppice::graph
