#include "graph/onnx/ops_linear.h"

#include <algorithm>

#include "graph/onnx/time_image.h"

namespace coppice::graph {

namespace {

/// Gemm's weight is [out, in]; one stored as [in, out] is transposed, under a name of its own.
std::string transposed_weight(OnnxReader& reader, const onnx::NodeProto& node) {
  const Tensor& stored = reader.constant(node, 1);
  if (stored.dtype() != DType::F32 || stored.shape().size() != 2) {
    unsupported_node(node, "the weight must be an f32 matrix");
  }
  const auto rows = static_cast<size_t>(stored.dim(0));
  const auto columns = static_cast<size_t>(stored.dim(1));
  Tensor weight = reader.budget().tensor(node, DType::F32, {stored.dim(1), stored.dim(0)});
  const auto from = stored.data<float>();
  const auto to = weight.data<float>();
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      to[j * rows + i] = from[i * columns + j];
    }
  }
  return reader.add_weight(node.input(1) + ".transposed", std::move(weight));
}

/// The weight of a convolution, [out, in, 1, k] where the file has one over time.
std::string image_weight(OnnxReader& reader, const onnx::NodeProto& node, const TimeImage& image) {
  const size_t rank = reader.shape(node, 1).size();
  if (rank != (image.over_time ? 3U : 4U)) {
    unsupported_node(node, "supported: over height and width, or over time");
  }
  if (!image.over_time) {
    return reader.use(node, 1);
  }
  const Tensor& weight = reader.constant(node, 1);
  return reader.add_weight(node.input(1) + ".image",
                           weight.reshaped({weight.dim(0), weight.dim(1), 1, weight.dim(2)}));
}

/// What Conv and ConvTranspose have in common.
template <class A>
void read_window(const onnx::NodeProto& node,
                 AttributeReader& attributes,
                 const TimeImage& image,
                 const Shape& weight,
                 A& result) {
  const bool rows = image.over_time;
  const auto list = [&](std::string_view name, const Shape& otherwise) {
    return spatial(node, image, attributes.integers(name, otherwise), 1);
  };
  const Shape ones(rows ? 1 : 2, 1);
  const Shape kernel(weight.begin() + std::min<ptrdiff_t>(2, std::ssize(weight)), weight.end());
  result.kernel = list("kernel_shape", kernel);
  result.stride = list("strides", ones);
  result.dilation = list("dilations", ones);
  result.pads = spatial_pads(node, image, attributes.integers("pads", Shape(rows ? 2 : 4, 0)));
  result.groups = attributes.integer("group", 1);
  attributes.expect_text("auto_pad", "NOTSET");
}

std::vector<std::string> weight_and_bias(OnnxReader& reader,
                                         const onnx::NodeProto& node,
                                         const TimeImage& image) {
  std::vector<std::string> inputs{image_weight(reader, node, image)};
  if (std::string bias = reader.use(node, 2); !bias.empty()) {
    inputs.push_back(std::move(bias));
  }
  return inputs;
}

}  // namespace

void read_conv(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const TimeImage image = image_of(reader, node);
  ConvAttributes result;
  read_window(node, attributes, image, reader.shape(node, 1), result);
  attributes.finish();
  std::vector<std::string> inputs = weight_and_bias(reader, node, image);
  add_over_image(reader, node, image, Op::Conv, std::move(result), std::move(inputs));
}

void read_conv_transpose(OnnxReader& reader,
                         const onnx::NodeProto& node,
                         AttributeReader& attributes) {
  const TimeImage image = image_of(reader, node);
  ConvTransposeAttributes result;
  read_window(node, attributes, image, reader.shape(node, 1), result);
  result.output_padding =
      spatial(node,
              image,
              attributes.integers("output_padding", image.over_time ? Shape{0} : Shape{0, 0}),
              0);
  if (attributes.has("output_shape")) {
    unsupported_node(node, "output_shape; supported: pads and output_padding");
  }
  attributes.finish();
  std::vector<std::string> inputs = weight_and_bias(reader, node, image);
  add_over_image(reader, node, image, Op::ConvTranspose, std::move(result), std::move(inputs));
}

namespace {

/// x W of the last dimension, for any number of dimensions before it.
View multiply_last(OnnxReader& reader, const onnx::NodeProto& node, const std::string& weight) {
  const View x = reader.canonical(node, 0);
  const Shape last = x.dims.back();
  if (last.size() != 1 || last[0] == 0) {
    unsupported_node(node, "of a dimension that holds the batch");
  }
  return {reader.make(node, Op::MatMul, NoAttributes{}, {x.node, weight}), x.dims};
}

/// Two activations: the last two dimensions of each multiply, the others run along.
void multiply_activations(OnnxReader& reader, const onnx::NodeProto& node) {
  const View a = reader.canonical(node, 0);
  const View b = reader.canonical(node, 1);
  const auto matrix = [](const View& x) {
    const size_t rank = x.dims.size();
    return rank >= 2 && x.batch_dimension() + 2 < rank;
  };
  const bool same_leading = a.dims.size() == b.dims.size() && matrix(a) && matrix(b) &&
                            std::equal(a.dims.begin(), a.dims.end() - 2, b.dims.begin());
  if (!same_leading) {
    unsupported_node(
        node,
        "of activations; supported: equal dimensions, the batch among them, before the last two");
  }
  reader.define(node, 0, {reader.make(node, Op::MatMul, NoAttributes{}, {a.node, b.node}), a.dims});
}

}  // namespace

void read_gemm(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.expect("alpha", 1.F);
  attributes.expect("beta", 1.F);
  attributes.expect("transA", int64_t{0});
  const bool transposed = attributes.integer("transB", 0) != 0;
  attributes.finish();
  if (reader.is_view(node, 0) && !reader.view(node, 0).batch_first()) {
    const std::string weight = transposed ? transposed_weight(reader, node) : reader.use(node, 1);
    View result = multiply_last(reader, node, weight);
    if (OnnxReader::has(node, 2)) {
      result.node = reader.make(node, Op::Add, NoAttributes{}, {result.node, reader.use(node, 2)});
    }
    reader.define(node, 0, result);
    return;
  }
  std::vector<std::string> inputs{reader.use(node, 0)};
  inputs.push_back(transposed ? reader.use(node, 1) : transposed_weight(reader, node));
  if (node.input_size() > 2 && !node.input(2).empty()) {
    const Shape& shape = reader.shape(node, 2);
    if (shape.size() == 2 && shape[0] == 1) {
      const Tensor& bias = reader.constant(node, 2);
      inputs.push_back(reader.add_weight(node.input(2) + ".row", bias.reshaped({bias.dim(1)})));
    } else {
      inputs.push_back(reader.use(node, 2));
    }
  }
  reader.add(node, Op::Gemm, NoAttributes{}, std::move(inputs));
}

/// By a constant: of rows a Gemm, of more dimensions a MatMul along the last one.
void read_matmul(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.finish();
  if (reader.find_constant(node, 1) == nullptr) {
    multiply_activations(reader, node);
    return;
  }
  const View x = reader.view(node, 0);
  if (x.dims.size() == 2 && x.batch_first()) {
    const std::string rows = reader.use(node, 0);
    reader.add(node, Op::Gemm, NoAttributes{}, {rows, transposed_weight(reader, node)});
    return;
  }
  reader.define(node, 0, multiply_last(reader, node, reader.use(node, 1)));
}

}  // namespace coppice::graph
