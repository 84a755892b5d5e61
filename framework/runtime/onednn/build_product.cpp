#include <array>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "runtime/onednn/build_direct.h"
#include "runtime/onednn/builders.h"
#include "runtime/onednn/layout.h"

namespace coppice::runtime::onednn {

namespace {

using dnnl::memory;
using graph::DType;

dnnl::primitive_attr attributes_of(PlanBuilder& plan, const Product& product) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (!product.scales.empty()) {
    attributes.set_output_scales(1 << 1, product.scales);
  }
  dnnl::post_ops post_ops;
  if (product.has_residual) {
    const DType dtype = plan.value(plan.stage().inputs[1]).dtype;
    post_ops.append_sum(product.residual_scale, to_dnnl(dtype));
  }
  if (product.relu && std::isfinite(product.ceiling)) {
    post_ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_clip, 0.0F, product.ceiling);
  } else if (product.relu) {
    post_ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
  }
  attributes.set_post_ops(post_ops);
  return attributes;
}

/// Strides, kernel and so on in oneDNN's words, where 1 means no dilation at 0.
struct ConvArguments {
  memory::dims stride;
  memory::dims dilation;
  memory::dims pads_before;
  memory::dims pads_after;
  memory::dims weight;
};

ConvArguments conv_arguments(const Product& product) {
  const graph::ConvAttributes& conv = product.conv;
  const graph::Shape& weight = product.weight.shape();
  ConvArguments result{{conv.stride[0], conv.stride[1]},
                       {conv.dilation[0] - 1, conv.dilation[1] - 1},
                       {conv.pads[0], conv.pads[1]},
                       {conv.pads[2], conv.pads[3]},
                       {weight.begin(), weight.end()}};
  if (conv.groups > 1) {
    result.weight[0] /= conv.groups;
    result.weight.insert(result.weight.begin(), conv.groups);
  }
  return result;
}

/// Where the sums go: over the residual when nobody else reads it, or over a copy of it.
size_t destination(PlanBuilder& plan, const Product& product, const memory::desc& desc) {
  if (!product.has_residual) {
    return plan.new_buffer(desc);
  }
  const std::string& name = plan.stage().inputs[1];
  const Value residual = plan.value(name);
  memory::desc target = desc;
  target.data.data_type = static_cast<dnnl_data_type_t>(to_dnnl(residual.dtype));
  const bool apart = !plan.share_memory(name, plan.stage().inputs[0]);
  if (apart && plan.may_overwrite(name) && same_layout(residual.desc, target)) {
    return residual.buffer;
  }
  const size_t source = residual.is_flattened() ? plan.in_plain_layout(name) : residual.buffer;
  const memory::desc from =
      residual.is_flattened() ? plain(residual.dims, residual.dtype) : residual.desc;
  const size_t buffer = plan.new_buffer(desc);
  plan.add_reorder(source, from, buffer, target);
  return buffer;
}

/// A constant as it lies in memory, and what packed versions of it are called.
struct Constant {
  std::string key;
  const void* data = nullptr;
  memory::desc desc;
};

template <class Primitive>
void add(PlanBuilder& plan,
         const Product& product,
         const typename Primitive::primitive_desc& primitive,
         size_t source,
         const Constant& weight) {
  std::vector<Argument> arguments{
      {DNNL_ARG_SRC, primitive.src_desc(), source, {}},
      {DNNL_ARG_WEIGHTS,
       primitive.weights_desc(),
       0,
       plan.weights().get(weight.key, weight.data, weight.desc, primitive.weights_desc())}};
  if (!product.bias.empty()) {
    const memory::desc bias = primitive.bias_desc();
    const std::string key = plan.stage().output + "/bias";
    arguments.push_back(
        {DNNL_ARG_BIAS, bias, 0, plan.weights().get(key, product.bias.data(), bias, bias)});
  }
  const size_t output = destination(plan, product, primitive.dst_desc());
  arguments.push_back({DNNL_ARG_DST, primitive.dst_desc(), output, {}});
  plan.add_primitive(Primitive(primitive), primitive.scratchpad_desc(), std::move(arguments));
  plan.define(output, primitive.dst_desc());
}

memory::desc bias_desc(const Product& product) {
  if (product.bias.empty()) {
    return {};
  }
  return {{static_cast<memory::dim>(product.bias.size())},
          memory::data_type::f32,
          memory::format_tag::a};
}

void build_conv(PlanBuilder& plan, const Product& product) {
  using Conv = dnnl::convolution_forward;
  const auto any = memory::format_tag::any;
  const Value& x = plan.value(plan.stage().inputs[0]);
  const ConvArguments arguments = conv_arguments(product);
  const Conv::desc description(dnnl::prop_kind::forward_inference,
                               dnnl::algorithm::convolution_direct,
                               {x.dims, to_dnnl(x.dtype), any},
                               {arguments.weight, to_dnnl(product.weight.dtype()), any},
                               bias_desc(product),
                               {plan.dims(plan.stage().shape), to_dnnl(plan.stage().dtype), any},
                               arguments.stride,
                               arguments.dilation,
                               arguments.pads_before,
                               arguments.pads_after);
  const Conv::primitive_desc primitive(description, attributes_of(plan, product), plan.engine());
  const memory::desc weight = plain(arguments.weight, product.weight.dtype());
  add<Conv>(plan,
            product,
            primitive,
            plan.in_layout(plan.stage().inputs[0], primitive.src_desc()),
            {plan.stage().output + "/weight", product.weight.bytes(), weight});
}

/// A flattened channels-last image is multiplied as it lies: the weight's columns are put in its
/// order instead.
bool reads_channels_last(const Value& x) {
  return x.is_flattened() && x.desc.dims().size() == 4 &&
         same_layout(x.desc, channels_last(x.desc.dims(), x.dtype));
}

void build_gemm(PlanBuilder& plan, const Product& product) {
  using Gemm = dnnl::inner_product_forward;
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  const DType dtype = product.weight.dtype();
  const memory::desc rows =
      plain({plan.dims(plan.stage().shape)[0], product.weight.dim(1)}, x.dtype);
  const memory::dims weight_dims{product.weight.dim(0), product.weight.dim(1)};
  Constant weight{
      plan.stage().output + "/weight", product.weight.bytes(), plain(weight_dims, dtype)};
  size_t source = x.buffer;
  if (reads_channels_last(x)) {
    memory::dims image = x.desc.dims();
    image[0] = weight_dims[0];
    const memory permuted = plan.weights().get(
        weight.key, weight.data, plain(image, dtype), channels_last(image, dtype));
    weight.key += "/channels last";
    weight.data = permuted.get_data_handle();
  } else {
    source = plan.in_layout(name, rows);
  }
  if (build_direct_rows(plan, product, source, weight.data)) {
    return;
  }
  const Gemm::desc description(dnnl::prop_kind::forward_inference,
                               rows,
                               {weight_dims, to_dnnl(dtype), memory::format_tag::any},
                               bias_desc(product),
                               plain(plan.dims(plan.stage().shape), plan.stage().dtype));
  const Gemm::primitive_desc primitive(description, attributes_of(plan, product), plan.engine());
  add<Gemm>(plan, product, primitive, source, weight);
}

}  // namespace

void build(PlanBuilder& plan, const Product& product) {
  if (!product.is_conv) {
    build_gemm(plan, product);
  } else if (!build_direct_depthwise(plan, product) && !build_winograd(plan, product) &&
             !build_direct_conv(plan, product)) {
    build_conv(plan, product);
  }
}

}  // namespace coppice::runtime::onednn
