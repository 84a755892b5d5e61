#include <limits>

#include <fmt/format.h>

#include "c_source/c_source.h"
#include "c_source/kernels/kernels.h"
#include "c_source/names.h"
#include "c_source/write.h"
#include "core/error.h"

namespace coppice::c_source {

namespace {

using graph::DType;
using graph::Node;
using graph::Op;

std::string pool_sizes(const Node& pool, const Node& input) {
  const auto& a = pool.as<graph::PoolAttributes>();
  require_near_windows(pool, input, a.stride, a.pads);
  return fmt::format("{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}",
                     input.shape[1],
                     input.shape[2],
                     input.shape[3],
                     pool.shape[2],
                     pool.shape[3],
                     a.kernel[0],
                     a.kernel[1],
                     a.stride[0],
                     a.stride[1],
                     a.pads[0],
                     a.pads[1]);
}

/// What is read: its place and dtype, and how 8-bit values become real ones.
struct Reading {
  const Node* input = nullptr;
  DType dtype = DType::F32;
  std::string scale;  ///< arguments, or empty
};

Reading reading_of(Source& source, const SingleNode& single) {
  if (single.dequantise == nullptr) {
    const Node& input = source.plan().node(single.node->inputs[0]);
    return {&input, input.dtype, ""};
  }
  const auto quantisation =
      *runtime::per_tensor_quantisation(source.plan().index(), *single.dequantise);
  const Node& input = source.plan().node(single.dequantise->inputs[0]);
  return {&input,
          input.dtype,
          fmt::format(" {}, {},", float_literal(quantisation.scale), quantisation.zero_point)};
}

void write_pool(Source& source, const Node& output, const SingleNode& single) {
  const Reading in = reading_of(source, single);
  const std::string function = output.op == Op::MaxPool ? define_max_pool(source, in.dtype)
                                                        : define_average_pool(source, in.dtype);
  // The type comes before the structure in the file.
  const std::string sizes = source.structure("pool_sizes", pool_sizes(output, *in.input));
  source.statement(fmt::format("  {}(&{}, {},{} {});",
                               function,
                               sizes,
                               source.value(in.input->name),
                               in.scale,
                               source.value(output.name)));
}

/// Over the last dimensions, which lie together. Throws for others.
void write_mean(Source& source, const Node& output, const SingleNode& single) {
  const Reading in = reading_of(source, single);
  if (output.op == Op::ReduceMean) {
    const graph::Shape& axes = output.as<graph::ReduceAttributes>().axes;
    const auto rank = std::ssize(in.input->shape);
    for (size_t i = 0; i < axes.size(); ++i) {
      if (axes[i] != rank - std::ssize(axes) + static_cast<int64_t>(i)) {
        refuse_node(output, "only a mean over the last dimensions has a C form");
      }
    }
  }
  const int64_t rows = sample_size(output);
  source.statement(fmt::format("  {}({}, {}, {},{} {});",
                               define_mean(source, in.dtype),
                               rows,
                               sample_size(*in.input) / rows,
                               source.value(in.input->name),
                               in.scale,
                               source.value(output.name)));
}

void write_softmax(Source& source, const Node& output) {
  const auto axis = static_cast<size_t>(output.as<graph::AxisAttributes>().axis);
  int64_t inner = 1;
  for (size_t d = axis + 1; d < output.shape.size(); ++d) {
    inner *= output.shape[d];
  }
  const int64_t length = output.shape[axis];
  source.statement(fmt::format("  {}({}, {}, {}, {}, {});",
                               define_softmax(source),
                               sample_size(output) / length / inner,
                               length,
                               inner,
                               source.value(output.inputs[0]),
                               source.value(output.name)));
}

}  // namespace

bool has_node_form(Op op) {
  switch (op) {
    case Op::MaxPool:
    case Op::AveragePool:
    case Op::GlobalAveragePool:
    case Op::ReduceMean:
    case Op::Softmax:
    case Op::Flatten:
    case Op::Reshape:
    case Op::Concat:
    case Op::Resize:
    case Op::Pad:
    case Op::Transpose:
    case Op::Slice:
      return true;
    default:
      return false;
  }
}

void refuse_node(const Node& node, const std::string& why) {
  throw core::Error(core::ErrorKind::Unsupported,
                    fmt::format("node '{}' ({}): {}; ops with a C form are {}",
                                node.name,
                                graph::to_string(node.op),
                                why,
                                fmt::join(supported_ops(), ", ")));
}

void require_near_windows(const Node& node,
                          const Node& input,
                          const graph::Shape& stride,
                          const graph::Shape& pads) {
  for (size_t i = 0; i < 2; ++i) {
    // Four neighbouring windows are computed at once.
    const int64_t reach = input.shape[2 + i] + pads[i] + pads[2 + i] + 4 * stride[i];
    if (reach > std::numeric_limits<int32_t>::max()) {
      refuse_node(node, "its stride and padding leave what 32 bits count");
    }
  }
}

void write_heading(Source& source, const std::string& what, const Node& output) {
  source.statement(fmt::format("\n  /* {}: {} {} */",
                               comment(what),
                               comment(output.name),
                               graph::to_string(sample_shape(output))));
}

void write_node(Source& source, const Node& output, const SingleNode& single) {
  if (!has_node_form(output.op)) {
    refuse_node(output, "it has no C form");
  }
  switch (output.op) {
    case Op::MaxPool:
    case Op::AveragePool:
      write_heading(source, std::string(graph::to_string(output.op)), output);
      return write_pool(source, output, single);
    case Op::GlobalAveragePool:
    case Op::ReduceMean:
      write_heading(source, std::string(graph::to_string(output.op)), output);
      return write_mean(source, output, single);
    case Op::Softmax:
      write_heading(source, "Softmax", output);
      return write_softmax(source, output);
    default:
      return write_move(source, output);
  }
}

}  // namespace coppice::c_source
