#include <array>
#include <memory>
#include <vector>

#include "runtime/onednn/builders.h"
#include "runtime/onednn/layout.h"
#include "runtime/onednn/moves.h"
#include "runtime/reference/kernel.h"

namespace coppice::runtime::onednn {

namespace {

/// A reference kernel over buffers of a plan.
struct PlainCall {
  graph::Node node;
  std::vector<reference::View> operands;
  std::vector<size_t> buffers;            ///< of the operands that are activations, in their order
  std::vector<size_t> operand_of_buffer;  ///< which operand each is
  std::vector<const reference::View*> pointers;
  reference::View output;

  void run(Buffers memory, size_t target) {
    for (size_t i = 0; i < buffers.size(); ++i) {
      operands[operand_of_buffer[i]].data = memory[buffers[i]];
    }
    output.data = memory[target];
    reference::run_node(node, pointers, output);
  }
};

/// A loop from floats in rows to floats in rows.
template <class Rows>
void add_rows(PlanBuilder& plan, const Rows& rows) {
  const dnnl::memory::desc desc = plain(plan.dims(plan.stage().shape), graph::DType::F32);
  const size_t source = plan.in_plain_layout(plan.stage().inputs[0]);
  const size_t target = plan.new_buffer(desc);
  plan.add_loop(
      [=](Buffers buffers) {
        rows.run(reinterpret_cast<const float*>(buffers[source]),
                 reinterpret_cast<float*>(buffers[target]));
      },
      std::array{source, target});
  plan.define(target, desc);
}

/// Whether the op has loops of its own here.
bool build_rows(PlanBuilder& plan, const graph::Node& node) {
  if (node.op != graph::Op::Pad && node.op != graph::Op::ReduceMean) {
    return false;
  }
  const Value x = plan.value(plan.stage().inputs[0]);
  const dnnl::memory::dims out = plan.dims(plan.stage().shape);
  if (node.op == graph::Op::Pad) {
    add_rows(plan, PaddedRows(node.as<graph::PadAttributes>(), x.dims, out));
    return true;
  }
  const auto mean = mean_rows(node.as<graph::ReduceAttributes>().axes, x.dims);
  if (mean) {
    add_rows(plan, *mean);
  }
  return mean.has_value();
}

}  // namespace

void build(PlanBuilder& plan, const Plain& plain_op) {
  if (plain_op.node.dtype == graph::DType::F32 && build_rows(plan, plain_op.node)) {
    return;
  }
  auto call = std::make_shared<PlainCall>();
  call->node = plain_op.node;
  size_t next = 0;
  for (const graph::Tensor& constant : plain_op.constants) {
    if (!constant.empty()) {
      call->operands.push_back(reference::view_of(constant));
      continue;
    }
    const std::string& name = plan.stage().inputs[next++];
    const Value& x = plan.value(name);
    call->operand_of_buffer.push_back(call->operands.size());
    call->operands.push_back({x.dtype, {x.dims.begin(), x.dims.end()}, nullptr});
    call->buffers.push_back(plan.in_plain_layout(name));
  }
  for (const reference::View& view : call->operands) {
    call->pointers.push_back(&view);
  }
  const dnnl::memory::dims dims = plan.dims(plan.stage().shape);
  const dnnl::memory::desc desc = plain(dims, plan.stage().dtype);
  const size_t target = plan.new_buffer(desc);
  call->output = {plan.stage().dtype, {dims.begin(), dims.end()}, nullptr};
  std::vector<size_t> used = call->buffers;
  used.push_back(target);
  plan.add_loop([call, target](Buffers buffers) { call->run(buffers, target); }, used);
  plan.define(target, desc);
}

/// A 2-dimensional view of rows is rows; of another layout it waits until somebody needs rows.
void build(PlanBuilder& plan, const Alias&) {
  const Value x = plan.value(plan.stage().inputs[0]);
  const dnnl::memory::dims dims = plan.dims(plan.stage().shape);
  if (x.is_flattened()) {
    plan.define(x.buffer, x.desc);
    return;
  }
  const bool in_rows = same_layout(x.desc, plain(x.dims, x.dtype));
  plan.define(x.buffer, in_rows && dims != x.dims ? plain(dims, x.dtype) : x.desc);
}

}  // namespace coppice::runtime::onednn
