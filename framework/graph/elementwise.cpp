#include "graph/elementwise.h"

namespace coppice::graph {

bool is_unary_elementwise(Op op) {
  switch (op) {
    case Op::Relu:
    case Op::LeakyRelu:
    case Op::Clip:
    case Op::Sigmoid:
    case Op::Tanh:
    case Op::HardSwish:
    case Op::Erf:
      return true;
    default:
      return false;
  }
}

}  // namespace coppice::graph
