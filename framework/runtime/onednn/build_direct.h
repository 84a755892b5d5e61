#pragma once

#include "runtime/onednn/plan_builder.h"

/// Our own kernels where they beat oneDNN's. Each returns false, and leaves the plan as it is,
/// where the layer or the processor is not for it.
namespace coppice::runtime::onednn {

bool build_direct_depthwise(PlanBuilder& plan, const Product& product);
bool build_winograd(PlanBuilder& plan, const Product& product);
bool build_direct_conv(PlanBuilder& plan, const Product& product);

/// `source`: the buffer that holds the rows; `weight`: [channels, length] in the order of their
/// values.
bool build_direct_rows(PlanBuilder& plan,
                       const Product& product,
                       size_t source,
                       const void* weight);

}  // namespace coppice::runtime::onednn
