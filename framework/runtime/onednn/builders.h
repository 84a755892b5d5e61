#pragma once

#include "runtime/onednn/plan_builder.h"

/// Adds the steps of one kind of stage to a plan; std::visit picks by kind. Throws dnnl::error for
/// what oneDNN refuses.
namespace coppice::runtime::onednn {

void build(PlanBuilder& plan, const Product& product);
void build(PlanBuilder& plan, const Pool& pool);
void build(PlanBuilder& plan, const ByteMaxPool& pool);
void build(PlanBuilder& plan, const Rectify& rectify);
void build(PlanBuilder& plan, const Curve& curve);
void build(PlanBuilder& plan, const Enlarge& enlarge);
void build(PlanBuilder& plan, const Arithmetic& arithmetic);
void build(PlanBuilder& plan, const Deconvolution& deconvolution);
void build(PlanBuilder& plan, const MatrixProduct& product);
void build(PlanBuilder& plan, const LayerNorm& norm);
void build(PlanBuilder& plan, const Softmax& softmax);
void build(PlanBuilder& plan, const Transpose& transpose);
void build(PlanBuilder& plan, const Slope& slope);
void build(PlanBuilder& plan, const Recurrent& stage);
void build(PlanBuilder& plan, const Lookup& lookup);
void build(PlanBuilder& plan, const Quantise& quantise);
void build(PlanBuilder& plan, const ByteAdd& add);
void build(PlanBuilder& plan, const ByteAverage& average);
void build(PlanBuilder& plan, const Alias& alias);
void build(PlanBuilder& plan, const Plain& plain);

}  // namespace coppice::runtime::onednn
