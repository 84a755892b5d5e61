#include <cmath>

#include <fmt/format.h>

#include "c_source/kernels/kernels.h"
#include "c_source/lookup.h"
#include "c_source/loops.h"
#include "c_source/names.h"
#include "c_source/write.h"
#include "core/error.h"

namespace coppice::c_source {

namespace {

using graph::DType;
using graph::Node;
using graph::Op;
using graph::Tensor;

std::string scalar_literal(const Tensor& value) {
  switch (value.dtype()) {
    case DType::F32:
      return float_literal(value.data<float>()[0]);
    case DType::U8:
      return fmt::format("{}", value.data<uint8_t>()[0]);
    case DType::I8:
      return fmt::format("{}", value.data<int8_t>()[0]);
    case DType::I32:
      return fmt::format("{}", value.data<int32_t>()[0]);
    case DType::I64:
      return fmt::format("{}", value.data<int64_t>()[0]);
  }
  return "0";
}

/// A constant [channels] as one that spreads along dimension `axis` of a shape of `rank`.
Tensor along(const Tensor& constant, size_t axis, size_t rank) {
  graph::Shape shape(rank - axis, 1);
  shape[0] = constant.size();
  return constant.reshaped(shape);
}

/// scale / sqrt(variance + epsilon), as the reference rounds it.
Tensor norm_factor(const Node& node, const ElementNode& one) {
  const auto scale = one.operands[1].constant.data<float>();
  const auto variance = one.operands[4].constant.data<float>();
  const float epsilon = node.as<graph::BatchNormAttributes>().epsilon;
  Tensor factor(DType::F32, one.operands[1].constant.shape());
  for (size_t c = 0; c < scale.size(); ++c) {
    factor.data<float>()[c] = scale[c] / std::sqrt(variance[c] + epsilon);
  }
  return factor;
}

/// Writes the loop: first the arrays that it walks, then a line for each node.
class LoopWriter {
 public:
  LoopWriter(Source& source, const Node& output, const ElementLoop& loop)
      : source_(source), output_(output), loop_(loop), shape_(output.shape) {
    shape_[0] = 1;
  }

  void write() {
    std::vector<std::vector<std::string>> operands;
    add_array(source_.value(output_.name), shape_);
    for (const std::string& name : loop_.sources) {
      graph::Shape shape = source_.plan().node(name).shape;
      shape[0] = 1;
      add_array(source_.value(name), shape);
    }
    for (const ElementNode& one : loop_.nodes) {
      operands.push_back(operands_of(one));
    }
    const Loops loops = make_loops(shape_, strides_);
    source_.statement("  {");
    for (size_t a = 0; a <= loop_.sources.size(); ++a) {
      const DType dtype = a == 0 ? output_.dtype : source_.plan().node(loop_.sources[a - 1]).dtype;
      source_.statement(fmt::format("    {}{} *{} = {};",
                                    a == 0 ? "" : "const ",
                                    c_type(dtype),
                                    a == 0 ? "y" : fmt::format("x{}", a),
                                    arrays_[a]));
    }
    source_.statement(indented(loops.begin) + body(loops, operands) + "    }\n  }");
  }

 private:
  static std::string indented(const std::string& lines) {
    std::string result;
    bool fresh = true;
    for (const char c : lines) {
      result += fresh ? "  " : "";
      result += c;
      fresh = c == '\n';
    }
    return result;
  }

  std::string add_array(const std::string& expression, const graph::Shape& shape) {
    arrays_.push_back(expression);
    strides_.push_back(spread_strides(shape, shape_));
    return fmt::format("@A{}@", arrays_.size() - 1);
  }

  /// A literal, or a mark in whose place the array's element comes.
  std::string constant(const Tensor& value) {
    if (value.size() == 1) {
      return scalar_literal(value);
    }
    return add_array(source_.constant(value), value.shape());
  }

  std::vector<std::string> operands_of(const ElementNode& one) {
    const Node& node = *one.node;
    const auto first = [&](const Operand& operand) {
      switch (operand.from) {
        case Operand::From::Node:
          return fmt::format("v{}", operand.index);
        case Operand::From::Source:
          return fmt::format("@A{}@", operand.index + 1);
        case Operand::From::Constant:
          break;
      }
      return constant(operand.constant);
    };
    std::vector<std::string> result;
    const size_t rank = shape_.size();
    if (node.op == Op::BatchNorm) {
      return {first(one.operands[0]),
              constant(along(one.operands[3].constant, 1, rank)),
              constant(along(norm_factor(node, one), 1, rank)),
              constant(along(one.operands[2].constant, 1, rank))};
    }
    const bool quantises = node.op == Op::QuantizeLinear || node.op == Op::DequantizeLinear;
    for (size_t i = 0; i < one.operands.size(); ++i) {
      const Operand& operand = one.operands[i];
      if (quantises && i > 0 && operand.constant.size() > 1) {
        const auto axis = static_cast<size_t>(node.as<graph::AxisAttributes>().axis);
        result.push_back(constant(along(operand.constant, axis, rank)));
      } else {
        result.push_back(first(operand));
      }
    }
    return result;
  }

  std::string body(const Loops& loops, const std::vector<std::vector<std::string>>& operands) {
    std::map<std::string, std::string> elements;
    for (size_t a = 0; a < arrays_.size(); ++a) {
      const std::string array = a > loop_.sources.size() ? arrays_[a]
                                : a == 0                 ? "y"
                                                         : fmt::format("x{}", a);
      elements[fmt::format("A{}", a)] = fmt::format("{}[{}]", array, loops.indices[a]);
    }
    std::string text;
    for (size_t n = 0; n < loop_.nodes.size(); ++n) {
      const Node& node = *loop_.nodes[n].node;
      text += fmt::format("  {}const {} v{} = {};\n",
                          loops.indent,
                          c_type(node.dtype),
                          n,
                          expression(node, operands[n]));
    }
    text += fmt::format("  {}@A0@ = v{};\n", loops.indent, loop_.nodes.size() - 1);
    return filled(text, elements);
  }

  std::string expression(const Node& node, const std::vector<std::string>& x) {
    const std::string& a = x[0];
    switch (node.op) {
      case Op::Cast:
        if (node.dtype != DType::F32) {
          refuse_node(node, "casts to f32 alone have a C form");
        }
        return "(float)" + a;
      case Op::Add:
        return a + " + " + x[1];
      case Op::Sub:
        return a + " - " + x[1];
      case Op::Mul:
        return a + " * " + x[1];
      case Op::Div:
        return a + " / " + x[1];
      case Op::BatchNorm:
        return fmt::format("({} - {}) * {} + {}", a, x[1], x[2], x[3]);
      case Op::Relu:
        return fmt::format("{0} < 0.0f ? 0.0f : {0}", a);
      case Op::LeakyRelu:
        return fmt::format("{0} < 0.0f ? {1} * {0} : {0}",
                           a,
                           float_literal(node.as<graph::LeakyReluAttributes>().slope));
      case Op::PRelu:
        return fmt::format("{0} < 0.0f ? {1} * {0} : {0}", a, x[1]);
      case Op::Clip: {
        const auto& clip = node.as<graph::ClipAttributes>();
        return fmt::format("{0} < {1} ? {1} : {0} > {2} ? {2} : {0}",
                           a,
                           float_literal(clip.low),
                           float_literal(clip.high));
      }
      case Op::Sigmoid:
        return fmt::format("1.0f / (1.0f + expf(-{}))", a);
      case Op::Tanh:
        return fmt::format("tanhf({})", a);
      case Op::HardSwish:
        source_.define("hard_swish",
                       "\nstatic float hard_swish(float x)\n{\n"
                       "  const float share = x / 6.0f + 0.5f;\n"
                       "  return x * (share < 0.0f ? 0.0f : 1.0f < share ? 1.0f : share);\n}\n");
        return fmt::format("hard_swish({})", a);
      case Op::Erf:
        return fmt::format("erff({})", a);
      case Op::QuantizeLinear:
        return fmt::format("{}({} / {}, {})", define_quantise(source_, node.dtype), a, x[1], x[2]);
      case Op::DequantizeLinear:
        return fmt::format("(float)((int32_t){} - {}) * {}", a, x[2], x[1]);
      default:
        COPPICE_CHECK(false, "not element-wise");
        return "";
    }
  }

  Source& source_;
  const Node& output_;
  const ElementLoop& loop_;
  graph::Shape shape_;               ///< of the loop, with a batch of 1
  std::vector<std::string> arrays_;  ///< the output, the sources, then constants
  std::vector<Strides> strides_;
};

void write_lookup(Source& source,
                  const Node& output,
                  const ElementLoop& loop,
                  const Lookup& lookup) {
  const std::string table = source.constant(lookup.table);
  const int64_t plane = sample_size(output) / lookup.channels;
  source.define("look_up",
                "\n/* Bytes to bytes by a table for each channel. */\n"
                "static void look_up(int32_t channels, int32_t plane, const void *table, "
                "const void *x, void *y)\n{\n"
                "  const uint8_t *t = (const uint8_t *)table;\n"
                "  const uint8_t *from = (const uint8_t *)x;\n"
                "  uint8_t *to = (uint8_t *)y;\n"
                "  for (int32_t c = 0; c < channels; ++c) {\n"
                "    for (int32_t i = 0; i < plane; ++i) {\n"
                "      *to++ = t[c * 256 + *from++];\n"
                "    }\n  }\n}\n");
  source.statement(fmt::format("  look_up({}, {}, {}, {}, {});",
                               lookup.channels,
                               plane,
                               table,
                               source.value(loop.sources[0]),
                               source.value(output.name)));
}

}  // namespace

void write_element_loop(Source& source, const Node& output, const ElementLoop& loop) {
  std::string ops;
  for (const ElementNode& one : loop.nodes) {
    ops += (ops.empty() ? "" : ", ") + std::string(graph::to_string(one.node->op));
  }
  const auto lookup = loop.sources.size() == 1
                          ? make_lookup(loop, source.plan().node(loop.sources[0]))
                          : std::nullopt;
  write_heading(source, lookup ? ops + " as a table" : ops, output);
  if (lookup) {
    write_lookup(source, output, loop, *lookup);
  } else {
    LoopWriter(source, output, loop).write();
  }
}

}  // namespace coppice::c_source
