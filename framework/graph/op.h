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
/// then, and a causal convolution pads the left only. ConvTranspose: x, weight [in, out/groups, kh,
/// kw], bias?  MatMul: x [n, …, m, k] (at least 3 dimensions) and another activation [n, …, k, p]
/// or a weight [k, p]. PRelu: x, slope (a weight that spreads over x). LayerNorm: x, scale, bias,
/// both weights of the dimensions from the axis on. Lstm, Gru: x [n, time, in], weight [1, gates h,
/// in], recurrent weight [1, gates h, h], biases of both [1, 2 gates h]?, gates in ONNX's order (i
/// o f c; z r h, where the reset gate multiplies R h + its bias); states start at 0; the output is
/// [n, time, h]. Two directions are two nodes.
#define COPPICE_OPS(X)                            \
  X(Input, "Input", 0, 0)                         \
  X(Cast, "Cast", 1, 1)                           \
  X(Add, "Add", 2, 2)                             \
  X(Sub, "Sub", 2, 2)                             \
  X(Mul, "Mul", 2, 2)                             \
  X(Div, "Div", 2, 2)                             \
  X(Conv, "Conv", 2, 3)                           \
  X(ConvTranspose, "ConvTranspose", 2, 3)         \
  X(Gemm, "Gemm", 2, 3)                           \
  X(MatMul, "MatMul", 2, 2)                       \
  X(BatchNorm, "BatchNormalization", 5, 5)        \
  X(LayerNorm, "LayerNormalization", 3, 3)        \
  X(Relu, "Relu", 1, 1)                           \
  X(LeakyRelu, "LeakyRelu", 1, 1)                 \
  X(PRelu, "PRelu", 2, 2)                         \
  X(Clip, "Clip", 1, 1)                           \
  X(Sigmoid, "Sigmoid", 1, 1)                     \
  X(Tanh, "Tanh", 1, 1)                           \
  X(HardSwish, "HardSwish", 1, 1)                 \
  X(Erf, "Erf", 1, 1)                             \
  X(MaxPool, "MaxPool", 1, 1)                     \
  X(AveragePool, "AveragePool", 1, 1)             \
  X(GlobalAveragePool, "GlobalAveragePool", 1, 1) \
  X(ReduceMean, "ReduceMean", 1, 1)               \
  X(Resize, "Resize", 1, 1)                       \
  X(Pad, "Pad", 1, 1)                             \
  X(Flatten, "Flatten", 1, 1)                     \
  X(Reshape, "Reshape", 1, 1)                     \
  X(Transpose, "Transpose", 1, 1)                 \
  X(Slice, "Slice", 1, 1)                         \
  X(Concat, "Concat", 1, 64)                      \
  X(Dropout, "Dropout", 1, 1)                     \
  X(Softmax, "Softmax", 1, 1)                     \
  X(Lstm, "LSTM", 3, 4)                           \
  X(Gru, "GRU", 3, 4)                             \
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

struct ConvTransposeAttributes {
  Shape kernel{1, 1};
  Shape stride{1, 1};
  Shape pads{0, 0, 0, 0};  ///< cut off the full result
  Shape dilation{1, 1};
  Shape output_padding{0, 0};  ///< rows and columns added at the end, less than the stride
  int64_t groups = 1;
  bool operator==(const ConvTransposeAttributes&) const = default;
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

enum class ResizeMode {
  Nearest,        ///< place floor(i * in / out): by whole factors every pixel becomes equal ones
  Linear,         ///< bilinear between centres of pixels: (i + 1/2) * in / out - 1/2
  LinearCorners,  ///< bilinear with corners on corners: i * (in - 1) / (out - 1)
};

struct ResizeAttributes {
  Shape scale{2, 2};  ///< whole factors of height and width
  ResizeMode mode = ResizeMode::Nearest;
  Shape size{};  ///< new height and width in place of the factors, unless empty
  bool operator==(const ResizeAttributes&) const = default;
};

struct ReshapeAttributes {
  Shape sample;  ///< the new shape without the batch, of at least two dimensions
  bool operator==(const ReshapeAttributes&) const = default;
};

struct SliceAttributes {  ///< positions start, start + step, … < end of an axis that isn't the
                          ///< batch
  int64_t axis = 1;
  int64_t start = 0;
  int64_t end = 1;
  int64_t step = 1;
  bool operator==(const SliceAttributes&) const = default;
};

struct TransposeAttributes {
  Shape order{0, 1};  ///< of the input's dimensions, by number; the batch (0) stays first
  bool operator==(const TransposeAttributes&) const = default;
};

enum class PadMode { Constant, Reflect, Edge };

struct PadAttributes {
  Shape pads;  ///< before every dimension, then behind every dimension; 0 for the batch
  PadMode mode = PadMode::Constant;
  float value = 0;  ///< of a constant padding
  bool operator==(const PadAttributes&) const = default;
};

struct ReduceAttributes {
  Shape axes{1};  ///< ascending, without the batch; they stay as dimensions of 1
  bool operator==(const ReduceAttributes&) const = default;
};

struct LayerNormAttributes {  ///< over the dimensions from the axis on
  int64_t axis = 1;
  float epsilon = 1e-5F;
  bool operator==(const LayerNormAttributes&) const = default;
};

struct RecurrentAttributes {
  bool reverse = false;  ///< from the last step to the first; outputs stay at their steps
  bool operator==(const RecurrentAttributes&) const = default;
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
                                SliceAttributes,
                                ConvTransposeAttributes,
                                TransposeAttributes,
                                PadAttributes,
                                ReduceAttributes,
                                LayerNormAttributes,
                                RecurrentAttributes>;

/// The kind of attributes that an op takes, at their defaults. A node with another kind does not
/// verify.
Attributes default_attributes(Op op);

}  // namespace coppice::graph
