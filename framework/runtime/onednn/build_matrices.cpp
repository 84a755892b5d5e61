// What works on rows: products of matrices, LayerNorm, Softmax, Transpose.

#include <numeric>

#include "runtime/onednn/builders.h"
#include "runtime/onednn/layout.h"

namespace coppice::runtime::onednn {

namespace {

using dnnl::memory;
using graph::DType;

dnnl::primitive_attr row_attributes(bool relu = false) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (relu) {
    dnnl::post_ops post_ops;
    post_ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
    attributes.set_post_ops(post_ops);
  }
  return attributes;
}

int64_t element_count(const memory::dims& dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
}

/// All dimensions but the last in one.
memory::desc as_rows(const memory::dims& dims, int64_t length) {
  return plain({element_count(dims) / length, length}, DType::F32);
}

}  // namespace

void build(PlanBuilder& plan, const MatrixProduct& product) {
  using Matmul = dnnl::matmul;
  const std::string& left = plan.stage().inputs[0];
  const memory::dims out_dims = plan.dims(plan.stage().shape);
  const bool constant = !product.weight.empty();
  memory::desc a = plain(plan.value(left).dims, DType::F32);
  memory::desc out = plain(out_dims, DType::F32);
  memory::desc b;
  if (constant) {
    a = as_rows(plan.value(left).dims, product.weight.dim(0));
    out = as_rows(out_dims, product.weight.dim(1));
    b = {{product.weight.dim(0), product.weight.dim(1)},
         memory::data_type::f32,
         memory::format_tag::any};
  } else {
    b = plain(plan.value(plan.stage().inputs[1]).dims, DType::F32);
  }
  memory::desc bias;
  if (!product.bias.empty()) {
    bias = plain({1, static_cast<int64_t>(product.bias.size())}, DType::F32);
  }
  const Matmul::desc description =
      product.bias.empty() ? Matmul::desc(a, b, out) : Matmul::desc(a, b, bias, out);
  const Matmul::primitive_desc primitive(description, row_attributes(product.relu), plan.engine());
  std::vector<Argument> arguments{{DNNL_ARG_SRC, a, plan.in_plain_layout(left), {}}};
  const std::string& key = plan.stage().output;
  if (constant) {
    const memory::desc stored = plain({product.weight.dim(0), product.weight.dim(1)}, DType::F32);
    arguments.push_back(
        {DNNL_ARG_WEIGHTS,
         primitive.weights_desc(),
         0,
         plan.weights().get(
             key + "/weight", product.weight.bytes(), stored, primitive.weights_desc())});
  } else {
    arguments.push_back({DNNL_ARG_WEIGHTS, b, plan.in_plain_layout(plan.stage().inputs[1]), {}});
  }
  if (!product.bias.empty()) {
    arguments.push_back({DNNL_ARG_BIAS,
                         bias,
                         0,
                         plan.weights().get(key + "/bias", product.bias.data(), bias, bias)});
  }
  const memory::desc desc = plain(out_dims, DType::F32);
  const size_t output = plan.new_buffer(desc);
  arguments.push_back({DNNL_ARG_DST, out, output, {}});
  plan.add_primitive(Matmul(primitive), primitive.scratchpad_desc(), std::move(arguments));
  plan.define(output, desc);
}

void build(PlanBuilder& plan, const LayerNorm& norm) {
  using Forward = dnnl::layer_normalization_forward;
  const std::string& name = plan.stage().inputs[0];
  const memory::dims dims = plan.value(name).dims;
  const memory::desc rows = as_rows(dims, norm.scale.size());
  const Forward::desc description(
      dnnl::prop_kind::forward_inference,
      rows,
      norm.epsilon,
      dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift);
  const Forward::primitive_desc primitive(description, row_attributes(), plan.engine());
  const memory::desc parameter = plain({norm.scale.size()}, DType::F32);
  const std::string& key = plan.stage().output;
  const auto constant = [&](std::string_view what, const graph::Tensor& tensor) {
    return plan.weights().get(key + std::string(what), tensor.bytes(), parameter, parameter);
  };
  const memory::desc desc = plain(dims, DType::F32);
  const size_t output = plan.new_buffer(desc);
  plan.add_primitive(Forward(primitive),
                     primitive.scratchpad_desc(),
                     {{DNNL_ARG_SRC, rows, plan.in_plain_layout(name), {}},
                      {DNNL_ARG_SCALE, parameter, 0, constant("/scale", norm.scale)},
                      {DNNL_ARG_SHIFT, parameter, 0, constant("/shift", norm.shift)},
                      {DNNL_ARG_DST, rows, output, {}}});
  plan.define(output, desc);
}

void build(PlanBuilder& plan, const Softmax& softmax) {
  using Forward = dnnl::softmax_forward;
  const std::string& name = plan.stage().inputs[0];
  const memory::desc desc = plain(plan.value(name).dims, DType::F32);
  const Forward::desc description(
      dnnl::prop_kind::forward_inference, desc, static_cast<int>(softmax.axis));
  const Forward::primitive_desc primitive(description, row_attributes(), plan.engine());
  const size_t output = plan.new_buffer(desc);
  plan.add_primitive(
      Forward(primitive),
      primitive.scratchpad_desc(),
      {{DNNL_ARG_SRC, desc, plan.in_plain_layout(name), {}}, {DNNL_ARG_DST, desc, output, {}}});
  plan.define(output, desc);
}

/// A reorder from the same memory with its strides in the new order.
void build(PlanBuilder& plan, const Transpose& transpose) {
  const std::string& name = plan.stage().inputs[0];
  const Value x = plan.value(name);
  memory::dims strides(x.dims.size(), 1);
  for (size_t i = strides.size(); i-- > 1;) {
    strides[i - 1] = strides[i] * x.dims[i];
  }
  const memory::dims dims = plan.dims(plan.stage().shape);
  memory::dims moved;
  for (const int64_t axis : transpose.order) {
    moved.push_back(strides[static_cast<size_t>(axis)]);
  }
  const memory::desc from(dims, to_dnnl(x.dtype), moved);
  const memory::desc desc = plain(dims, x.dtype);
  const size_t source = plan.in_plain_layout(name);
  const size_t output = plan.new_buffer(desc);
  plan.add_reorder(source, from, output, desc);
  plan.define(output, desc);
}

}  // namespace coppice::runtime::onednn
