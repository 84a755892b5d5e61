#include "graph/op.h"

namespace coppice::graph {

const std::vector<OpInfo>& all_ops() {
  static const std::vector<OpInfo> kOps{
#define COPPICE_OP_INFO(name, onnx, least, most) {Op::name, #name, onnx, least, most},
      COPPICE_OPS(COPPICE_OP_INFO)
#undef COPPICE_OP_INFO
  };
  return kOps;
}

const OpInfo& info(Op op) {
  return all_ops().at(static_cast<size_t>(op));
}

Attributes default_attributes(Op op) {
  switch (op) {
    case Op::Input:
      return InputAttributes{};
    case Op::Cast:
      return CastAttributes{};
    case Op::Conv:
      return ConvAttributes{};
    case Op::BatchNorm:
      return BatchNormAttributes{};
    case Op::MaxPool:
    case Op::AveragePool:
      return PoolAttributes{};
    case Op::Concat:
    case Op::Softmax:
    case Op::QuantizeLinear:
    case Op::DequantizeLinear:
      return AxisAttributes{};
    case Op::Dropout:
      return DropoutAttributes{};
    case Op::LeakyRelu:
      return LeakyReluAttributes{};
    case Op::Clip:
      return ClipAttributes{};
    case Op::Resize:
      return ResizeAttributes{};
    case Op::Reshape:
      return ReshapeAttributes{};
    case Op::Slice:
      return SliceAttributes{};
    case Op::ConvTranspose:
      return ConvTransposeAttributes{};
    case Op::Transpose:
      return TransposeAttributes{};
    case Op::Pad:
      return PadAttributes{};
    case Op::ReduceMean:
      return ReduceAttributes{};
    case Op::LayerNorm:
      return LayerNormAttributes{};
    case Op::Lstm:
    case Op::Gru:
      return RecurrentAttributes{};
    case Op::Add:
    case Op::Sub:
    case Op::Mul:
    case Op::Div:
    case Op::Gemm:
    case Op::MatMul:
    case Op::Relu:
    case Op::PRelu:
    case Op::Sigmoid:
    case Op::Tanh:
    case Op::HardSwish:
    case Op::Erf:
    case Op::GlobalAveragePool:
    case Op::Flatten:
      break;
  }
  return NoAttributes{};
}

}  // namespace coppice::graph
