#include <fmt/format.h>

#include "c_source/kernels/kernels.h"
#include "c_source/names.h"
#include "c_source/write.h"

namespace coppice::c_source {

namespace {

using graph::DType;
using graph::Node;
using graph::Op;

std::string conv_sizes(const Node& conv, const Node& input, const Node& output) {
  const auto& a = conv.as<graph::ConvAttributes>();
  require_near_windows(conv, input, a.stride, a.pads);
  return fmt::format("{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}",
                     input.shape[1],
                     input.shape[2],
                     input.shape[3],
                     output.shape[1],
                     output.shape[2],
                     output.shape[3],
                     a.groups,
                     a.kernel[0],
                     a.kernel[1],
                     a.stride[0],
                     a.stride[1],
                     a.pads[0],
                     a.pads[1],
                     a.dilation[0],
                     a.dilation[1]);
}

/// The call of the layer's function.
void write_call(Source& source,
                const Node& product,
                const Node& input,
                const Node& output,
                const std::string& residual,
                const LayerForm& form,
                const std::string& layer) {
  std::string call;
  if (product.op == Op::Conv) {
    const std::string sizes = source.structure("conv_sizes", conv_sizes(product, input, output));
    call = fmt::format("{}(&{}, &{}", define_convolution(source, form), sizes, layer);
  } else {
    call = fmt::format(
        "{}({}, {}, &{}", define_dense(source, form), sample_size(input), output.shape[1], layer);
  }
  call += ", " + source.value(input.name);
  if (form.residual) {
    call += ", " + source.value(residual);
  }
  source.statement(fmt::format("  {}, {});", call, source.value(output.name)));
}

}  // namespace

void write_layer(Source& source, const Node& output, const runtime::QuantisedLayer& layer) {
  const Node& input = source.plan().node(layer.input);
  LayerForm form{.input = input.dtype,
                 .output = output.dtype,
                 .input_zero = layer.input_quantisation.zero_point != 0,
                 .residual = !layer.residual.empty()};
  if (form.residual) {
    form.residual_type = source.plan().node(layer.residual).dtype;
  }
  write_heading(source, layer.layer->op == Op::Conv ? "8-bit convolution" : "8-bit dense", output);
  const float infinity = std::numeric_limits<float>::infinity();
  const std::string fields = fmt::format("{}, {}, {}, {}, {}, {}, {}, {}, {}",
                                         source.constant(layer.weight),
                                         source.constant(layer.bias),
                                         source.constant(layer.multipliers),
                                         float_literal(layer.relu ? 0 : -infinity),
                                         float_literal(layer.relu ? layer.ceiling : infinity),
                                         layer.input_quantisation.zero_point,
                                         layer.output_zero_point,
                                         layer.residual_quantisation.zero_point,
                                         float_literal(layer.residual_multiplier));
  // The type comes before the structure in the file.
  const std::string name = source.structure("integer_layer", fields);
  write_call(source, *layer.layer, input, output, layer.residual, form, name);
}

void write_layer(Source& source, const Node& output, const FloatLayer& layer) {
  const Node& product = *layer.layer;
  const Node& input = source.plan().node(product.inputs[0]);
  auto& index = source.plan().index();
  const LayerForm form{.residual = !layer.residual.empty()};
  write_heading(source, product.op == Op::Conv ? "convolution" : "dense", output);
  const std::string bias =
      product.inputs.size() > 2
          ? source.constant(index.constant(product.inputs[2]))
          : source.constant(std::vector<float>(static_cast<size_t>(output.shape[1]), 0.0F));
  const std::string name =
      source.structure("float_layer",
                       fmt::format("{}, {}, {}, {}",
                                   source.constant(index.constant(product.inputs[1])),
                                   bias,
                                   float_literal(layer.low),
                                   float_literal(layer.high)));
  write_call(source, product, input, output, layer.residual, form, name);
}

}  // namespace coppice::c_source
