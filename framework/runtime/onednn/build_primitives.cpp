#include <array>

#include "core/error.h"
#include "runtime/onednn/builders.h"
#include "runtime/onednn/layout.h"
#include "runtime/onednn/pixel_mean.h"

namespace coppice::runtime::onednn {

namespace {

using dnnl::algorithm;
using dnnl::memory;
using graph::DType;
using graph::Op;

dnnl::primitive_attr with_own_scratch() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

/// The layout that a value has, or rows where it is a flattened view.
memory::desc own_layout(const Value& value) {
  return value.is_flattened() ? plain(value.dims, value.dtype) : value.desc;
}

algorithm binary_algorithm(Op op) {
  switch (op) {
    case Op::Add:
      return algorithm::binary_add;
    case Op::Sub:
      return algorithm::binary_sub;
    case Op::Mul:
      return algorithm::binary_mul;
    default:
      COPPICE_CHECK(op == Op::Div, "Arithmetic is one of four ops");
      return algorithm::binary_div;
  }
}

algorithm curve_algorithm(CurveKind kind) {
  switch (kind) {
    case CurveKind::LeakyRelu:
      return algorithm::eltwise_relu;
    case CurveKind::Clip:
      return algorithm::eltwise_clip;
    case CurveKind::Sigmoid:
      return algorithm::eltwise_logistic;
    case CurveKind::Tanh:
      return algorithm::eltwise_tanh;
    case CurveKind::HardSwish:
      return algorithm::eltwise_hardswish;
    case CurveKind::Silu:
      return algorithm::eltwise_swish;
    case CurveKind::Gelu:
      return algorithm::eltwise_gelu_erf;
  }
  COPPICE_CHECK(false, "a curve outside its enum");
}

void build_eltwise(PlanBuilder& plan, algorithm function, float alpha, float beta) {
  using Eltwise = dnnl::eltwise_forward;
  const std::string& name = plan.stage().inputs[0];
  const memory::desc desc = own_layout(plan.value(name));
  const Eltwise::desc description(dnnl::prop_kind::forward_inference, function, desc, alpha, beta);
  const Eltwise::primitive_desc primitive(description, with_own_scratch(), plan.engine());
  const size_t output = plan.new_buffer(desc);
  plan.add_primitive(
      Eltwise(primitive),
      primitive.scratchpad_desc(),
      {{DNNL_ARG_SRC, desc, plan.in_layout(name, desc), {}}, {DNNL_ARG_DST, desc, output, {}}});
  plan.define(output, desc);
}

}  // namespace

namespace {

/// Whether it is the mean of whole planes of an image that lies channels-last.
bool is_mean_of_pixels(const Pool& pool, const Value& x) {
  const graph::PoolAttributes& a = pool.attributes;
  return !pool.is_max && a.kernel[0] == x.dims[2] && a.kernel[1] == x.dims[3] &&
         a.pads == graph::Shape{0, 0, 0, 0} && !x.is_flattened() &&
         same_layout(x.desc, channels_last(x.dims, x.dtype));
}

/// A loop of our own: a mean costs less than a call of oneDNN's pooling.
void build_mean_of_pixels(PlanBuilder& plan, const Value& x) {
  const memory::desc desc = plain(plan.dims(plan.stage().shape), x.dtype);
  const size_t source = x.buffer;
  const size_t target = plan.new_buffer(desc);
  const PixelMean mean{x.dims[0], x.dims[2] * x.dims[3], x.dims[1]};
  plan.add_loop(
      [=](Buffers buffers) {
        mean.run(reinterpret_cast<const float*>(buffers[source]),
                 reinterpret_cast<float*>(buffers[target]));
      },
      std::array{source, target},
      "mean of pixels");
  plan.define(target, desc);
}

}  // namespace

void build(PlanBuilder& plan, const Pool& pool) {
  if (is_mean_of_pixels(pool, plan.value(plan.stage().inputs[0]))) {
    build_mean_of_pixels(plan, plan.value(plan.stage().inputs[0]));
    return;
  }
  using Pooling = dnnl::pooling_forward;
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  const memory::desc source = own_layout(x);
  const graph::PoolAttributes& a = pool.attributes;
  const Pooling::desc description(
      dnnl::prop_kind::forward_inference,
      pool.is_max ? algorithm::pooling_max : algorithm::pooling_avg_exclude_padding,
      source,
      {plan.dims(plan.stage().shape), to_dnnl(x.dtype), memory::format_tag::any},
      {a.stride[0], a.stride[1]},
      {a.kernel[0], a.kernel[1]},
      {a.pads[0], a.pads[1]},
      {a.pads[2], a.pads[3]});
  const Pooling::primitive_desc primitive(description, with_own_scratch(), plan.engine());
  const size_t output = plan.new_buffer(primitive.dst_desc());
  plan.add_primitive(Pooling(primitive),
                     primitive.scratchpad_desc(),
                     {{DNNL_ARG_SRC, source, plan.in_layout(name, source), {}},
                      {DNNL_ARG_DST, primitive.dst_desc(), output, {}}});
  plan.define(output, primitive.dst_desc());
}

void build(PlanBuilder& plan, const Rectify&) {
  build_eltwise(plan, algorithm::eltwise_relu, 0, 0);
}

void build(PlanBuilder& plan, const Curve& curve) {
  build_eltwise(plan, curve_algorithm(curve.kind), curve.alpha, curve.beta);
}

void build(PlanBuilder& plan, const Enlarge& enlarge) {
  using Resampling = dnnl::resampling_forward;
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  const memory::desc source = own_layout(x);
  const Resampling::desc description(
      dnnl::prop_kind::forward_inference,
      enlarge.linear ? algorithm::resampling_linear : algorithm::resampling_nearest,
      source,
      {plan.dims(plan.stage().shape), to_dnnl(x.dtype), memory::format_tag::any});
  const Resampling::primitive_desc primitive(description, with_own_scratch(), plan.engine());
  const size_t output = plan.new_buffer(primitive.dst_desc());
  plan.add_primitive(Resampling(primitive),
                     primitive.scratchpad_desc(),
                     {{DNNL_ARG_SRC, source, plan.in_layout(name, source), {}},
                      {DNNL_ARG_DST, primitive.dst_desc(), output, {}}});
  plan.define(output, primitive.dst_desc());
}

void build(PlanBuilder& plan, const Slope& slope) {
  using Prelu = dnnl::prelu_forward;
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  const memory::desc desc = own_layout(x);
  memory::dims spread(x.dims.size(), 1);
  spread[1] = slope.slope.size();
  const memory::desc weight = plain(spread, DType::F32);
  const Prelu::desc description(dnnl::prop_kind::forward_inference, desc, weight);
  const Prelu::primitive_desc primitive(description, with_own_scratch(), plan.engine());
  const size_t output = plan.new_buffer(desc);
  plan.add_primitive(
      Prelu(primitive),
      primitive.scratchpad_desc(),
      {{DNNL_ARG_SRC, desc, plan.in_layout(name, desc), {}},
       {DNNL_ARG_WEIGHTS,
        weight,
        0,
        plan.weights().get(plan.stage().output + "/slope", slope.slope.bytes(), weight, weight)},
       {DNNL_ARG_DST, desc, output, {}}});
  plan.define(output, desc);
}

void build(PlanBuilder& plan, const Arithmetic& arithmetic) {
  using Binary = dnnl::binary;
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  const memory::desc desc = own_layout(x);
  Argument right{DNNL_ARG_SRC_1, desc, 0, {}};
  if (arithmetic.constant.empty()) {
    right.buffer = plan.in_layout(plan.stage().inputs[1], desc);
  } else {
    memory::dims spread(arithmetic.constant.shape().begin(), arithmetic.constant.shape().end());
    spread.insert(spread.begin(), x.dims.size() - spread.size(), 1);
    right.desc = plain(spread, DType::F32);
    right.constant = plan.weights().get(
        plan.stage().output + "/constant", arithmetic.constant.bytes(), right.desc, right.desc);
  }
  const Binary::desc description(binary_algorithm(arithmetic.op), desc, right.desc, desc);
  const Binary::primitive_desc primitive(description, with_own_scratch(), plan.engine());
  const size_t output = plan.new_buffer(desc);
  plan.add_primitive(Binary(primitive),
                     primitive.scratchpad_desc(),
                     {{DNNL_ARG_SRC_0, desc, plan.in_layout(name, desc), {}},
                      right,
                      {DNNL_ARG_DST, desc, output, {}}});
  plan.define(output, desc);
}

}  // namespace coppice::runtime::onednn
