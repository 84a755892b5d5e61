#include <algorithm>

#include "runtime/reference/kernel.h"

namespace coppice::runtime::reference {

using graph::DType;
using graph::Op;

/// The mean over one axis at a time would need memory between; here each output value walks over
/// what it is the mean of.
template <>
void compute<Op::ReduceMean>(const graph::Attributes& attributes,
                             Operands inputs,
                             const View& output) {
  const View& x = *inputs[0];
  require_dtype(x, DType::F32);
  const graph::Shape& axes = std::get<graph::ReduceAttributes>(attributes).axes;
  const int64_t count = output.size();
  const int64_t values = x.size() / count;
  for (int64_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int64_t v = 0; v < values; ++v) {
      int64_t place = 0;
      int64_t stride = 1;
      int64_t kept = i;
      int64_t reduced = v;
      for (size_t d = x.shape.size(); d-- > 0;) {
        const bool reduces =
            std::find(axes.begin(), axes.end(), static_cast<int64_t>(d)) != axes.end();
        int64_t& rest = reduces ? reduced : kept;
        place += rest % x.shape[d] * stride;
        rest /= x.shape[d];
        stride *= x.shape[d];
      }
      sum += x.as<float>()[place];
    }
    output.as<float>()[i] = static_cast<float>(sum / static_cast<double>(values));
  }
}

}  // namespace coppice::runtime::reference
