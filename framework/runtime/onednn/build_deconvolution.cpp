#include "runtime/onednn/builders.h"
#include "runtime/onednn/layout.h"

namespace coppice::runtime::onednn {

namespace {

using dnnl::memory;

/// The graph's weight [groups * in, out, kh, kw] as oneDNN names its dimensions: [groups,] out, in,
/// kh, kw.
memory::desc deconvolution_weight(const Deconvolution& deconvolution) {
  const graph::Shape& shape = deconvolution.weight.shape();
  const int64_t groups = deconvolution.conv.groups;
  const int64_t in = shape[0] / groups;
  const int64_t kernel = shape[2] * shape[3];
  memory::dims dims{shape[1], in, shape[2], shape[3]};
  memory::dims strides{kernel, shape[1] * kernel, shape[3], 1};
  if (groups > 1) {
    dims.insert(dims.begin(), groups);
    strides.insert(strides.begin(), in * shape[1] * kernel);
  }
  return {dims, memory::data_type::f32, strides};
}

}  // namespace

void build(PlanBuilder& plan, const Deconvolution& deconvolution) {
  using Forward = dnnl::deconvolution_forward;
  const auto any = memory::format_tag::any;
  const auto f32 = memory::data_type::f32;
  const std::string& name = plan.stage().inputs[0];
  const graph::ConvTransposeAttributes& a = deconvolution.conv;
  const memory::desc weight = deconvolution_weight(deconvolution);
  memory::desc bias;
  if (!deconvolution.bias.empty()) {
    bias = {{static_cast<memory::dim>(deconvolution.bias.size())}, f32, memory::format_tag::a};
  }
  const Forward::desc description(
      dnnl::prop_kind::forward_inference,
      dnnl::algorithm::deconvolution_direct,
      {plan.value(name).dims, f32, any},
      {weight.dims(), f32, any},
      bias,
      {plan.dims(plan.stage().shape), f32, any},
      {a.stride[0], a.stride[1]},
      {a.dilation[0] - 1, a.dilation[1] - 1},
      {a.pads[0], a.pads[1]},
      {a.pads[2] - a.output_padding[0], a.pads[3] - a.output_padding[1]});
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const Forward::primitive_desc primitive(description, attributes, plan.engine());
  const std::string& key = plan.stage().output;
  std::vector<Argument> arguments{
      {DNNL_ARG_SRC, primitive.src_desc(), plan.in_layout(name, primitive.src_desc()), {}},
      {DNNL_ARG_WEIGHTS,
       primitive.weights_desc(),
       0,
       plan.weights().get(
           key + "/weight", deconvolution.weight.bytes(), weight, primitive.weights_desc())}};
  if (!deconvolution.bias.empty()) {
    arguments.push_back({DNNL_ARG_BIAS,
                         bias,
                         0,
                         plan.weights().get(key + "/bias", deconvolution.bias.data(), bias, bias)});
  }
  const size_t output = plan.new_buffer(primitive.dst_desc());
  arguments.push_back({DNNL_ARG_DST, primitive.dst_desc(), output, {}});
  plan.add_primitive(Forward(primitive), primitive.scratchpad_desc(), std::move(arguments));
  plan.define(output, primitive.dst_desc());
}

}  // namespace coppice::runtime::onednn
