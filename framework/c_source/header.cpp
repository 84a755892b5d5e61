#include "c_source/header.h"

#include <fmt/format.h>

#include "c_source/names.h"

namespace coppice::c_source {

namespace {

using graph::Node;

std::string numbered(const char* stem, size_t i, size_t count) {
  return count == 1 ? stem : fmt::format("{}{}", stem, i);
}

/// What the values of an 8-bit output stand for: moves of values keep it.
std::string scale_remark(const Plan& plan, const std::string& output) {
  const Node* quantise = &plan.node(output);
  while (quantise->op != graph::Op::QuantizeLinear) {
    if (quantise->dtype == graph::DType::F32 || quantise->inputs.size() != 1 ||
        quantise->op == graph::Op::Cast) {
      return "";
    }
    quantise = &plan.node(quantise->inputs[0]);
  }
  const Node& node = *quantise;
  const graph::Tensor& scale = plan.model().weight(node.inputs[1]);
  const graph::Tensor& zero = plan.model().weight(node.inputs[2]);
  if (scale.size() != 1) {
    return "";
  }
  const int zero_point = zero.dtype() == graph::DType::U8
                             ? static_cast<int>(zero.data<uint8_t>()[0])
                             : static_cast<int>(zero.data<int8_t>()[0]);
  return fmt::format("; real value = (value - {}) * {:.9g}", zero_point, scale.data<float>()[0]);
}

std::string port_lines(const Plan& plan) {
  std::string text;
  const auto inputs = plan.model().graph.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    text +=
        fmt::format(" *   {:<8} {} {}, \"{}\": raw values of one sample; preprocessing is inside\n",
                    input_name(plan, i),
                    c_type(inputs[i]->dtype),
                    graph::to_string(sample_shape(*inputs[i])),
                    comment(inputs[i]->name));
  }
  for (size_t i = 0; i < plan.model().graph.outputs.size(); ++i) {
    const Node& node = plan.node(plan.model().graph.outputs[i]);
    text += fmt::format(" *   {:<8} {} {}, \"{}\"{}\n",
                        output_name(plan, i),
                        c_type(node.dtype),
                        graph::to_string(sample_shape(node)),
                        comment(node.name),
                        scale_remark(plan, node.name));
  }
  return text;
}

std::string size_macros(const std::string& upper, const Plan& plan) {
  std::string text;
  const auto define = [&](const std::string& name, const Node& node) {
    text += fmt::format(
        "#define {}_{}_SIZE {} /* values */\n", upper, upper_case(name), sample_size(node));
  };
  const auto inputs = plan.model().graph.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    define(input_name(plan, i), *inputs[i]);
  }
  for (size_t i = 0; i < plan.model().graph.outputs.size(); ++i) {
    define(output_name(plan, i), plan.node(plan.model().graph.outputs[i]));
  }
  return text;
}

}  // namespace

std::string input_name(const Plan& plan, size_t i) {
  return numbered("input", i, plan.model().graph.inputs().size());
}

std::string output_name(const Plan& plan, size_t i) {
  return numbered("output", i, plan.model().graph.outputs.size());
}

std::string run_declaration(const std::string& prefix, const Plan& plan) {
  std::string parameters;
  const auto inputs = plan.model().graph.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    parameters += fmt::format("const {} *{}, ", c_type(inputs[i]->dtype), input_name(plan, i));
  }
  for (size_t i = 0; i < plan.model().graph.outputs.size(); ++i) {
    const Node& node = plan.node(plan.model().graph.outputs[i]);
    parameters +=
        fmt::format("{}{} *{}", i == 0 ? "" : ", ", c_type(node.dtype), output_name(plan, i));
  }
  return fmt::format("int {}_run({})", prefix, parameters);
}

std::string header_text(const CSource& source, const Plan& plan) {
  const graph::Metadata& metadata = plan.model().metadata;
  const std::string upper = upper_case(source.prefix);
  std::string text = fmt::format("/* {} ({}): one run computes one sample.\n *\n",
                                 metadata.name.empty() ? "A network" : comment(metadata.name),
                                 comment(metadata.task));
  text += port_lines(plan);
  text += fmt::format(
      " *\n"
      " * Constants {} bytes (flash), arena {} bytes (static memory), {} multiply-accumulates.\n"
      " * Needs C99, IEEE single precision and math.h; nothing is allocated. The arena is static:\n"
      " * one run at a time. Inputs and outputs must not overlap.\n",
      source.constant_bytes,
      source.arena_bytes,
      source.macs);
  if (metadata.anomaly_threshold) {
    text += fmt::format(
        " * A sample is an anomaly where the mean squared difference of the outputs is above "
        "{:.9g}.\n",
        *metadata.anomaly_threshold);
  }
  text += fmt::format(" */\n#ifndef {0}_H\n#define {0}_H\n\n#include <stdint.h>\n\n", upper);
  text += size_macros(upper, plan);
  text += fmt::format("#define {}_ARENA_BYTES {}\n", upper, source.arena_bytes);
  if (!metadata.class_names.empty()) {
    text += fmt::format("#define {}_CLASSES {}\n", upper, metadata.class_names.size());
  }
  text += "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  text += "/* 0, or 1 for a null pointer. Values are dense, the last dimension fastest. */\n";
  text += run_declaration(source.prefix, plan) + ";\n";
  if (!metadata.class_names.empty()) {
    text += fmt::format(
        "\nextern const char *const {}_class_names[{}_CLASSES];\n", source.prefix, upper);
  }
  return text + "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
}

}  // namespace coppice::c_source
