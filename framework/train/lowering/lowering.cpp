#include "train/lowering/lowering.h"

#include "core/error.h"

namespace coppice::train {

at::Tensor lower(const LoweringArgs& args) {
  switch (args.node.op) {
#define COPPICE_LOWER(name, onnx, least, most) \
  case graph::Op::name:                        \
    return lower_##name(args);
    COPPICE_OPS(COPPICE_LOWER)
#undef COPPICE_LOWER
  }
  COPPICE_CHECK(false, "op out of range");
}

}  // namespace coppice::train
