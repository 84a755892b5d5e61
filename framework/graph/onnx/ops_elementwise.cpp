#include "graph/onnx/ops_elementwise.h"

#include <algorithm>
#include <limits>

#include "graph/onnx/dropout_remark.h"
#include "graph/onnx/parameters.h"

namespace coppice::graph {

namespace {

/// A node that maps the values of input 0, which may be a view.
void add_mapped(OnnxReader& reader,
                const onnx::NodeProto& node,
                Op op,
                const Attributes& attributes,
                std::vector<std::string> parameters = {}) {
  const bool is_view = reader.is_view(node, 0);
  const View x = is_view ? reader.view(node, 0) : View{reader.use(node, 0), {}};
  parameters.insert(parameters.begin(), x.node);
  if (!is_view) {
    reader.add(node, op, attributes, std::move(parameters));
    return;
  }
  const std::string made = reader.make(node, op, attributes, std::move(parameters));
  reader.define(node, 0, {made, x.dims}, /*keep=*/true);
}

std::string scalar(OnnxReader& reader,
                   const onnx::NodeProto& node,
                   std::string_view what,
                   float value) {
  return reader.add_weight(fmt::format("{}.{}", node.output(0), what),
                           Tensor::from<float>({}, std::vector<float>{value}));
}

/// A constant that spreads over a view, shaped so that it spreads over the view's node. Throws
/// where one of its dimensions would run over several axes, or its order is another.
std::string spread_over(OnnxReader& reader, const onnx::NodeProto& node, int i, const View& view) {
  const Tensor& constant = reader.constant(node, i);
  const Shape& given = constant.shape();
  Shape shape(reader.node_shape(view).size(), 1);
  int64_t before = -1;
  bool fits = given.size() <= view.dims.size();
  for (size_t d = 0; fits && d < given.size(); ++d) {
    if (given[d] == 1) {
      continue;
    }
    const Shape& axes = view.dims[view.dims.size() - given.size() + d];
    fits = axes.size() == 1 && axes[0] > before;
    if (fits) {
      before = axes[0];
      shape[static_cast<size_t>(axes[0])] = given[d];
    }
  }
  if (!fits) {
    unsupported_node(
        node, fmt::format("constant {} over a dimension that holds the batch", to_string(given)));
  }
  while (!shape.empty() && shape.front() == 1 && shape.size() > given.size()) {
    shape.erase(shape.begin());
  }
  return shape == given ? reader.use(node, i)
                        : reader.add_weight(node.input(i) + ".spread", constant.reshaped(shape));
}

/// One of two operands is a view, or both are: they run over the same axes.
void read_binary_of_views(OnnxReader& reader, const onnx::NodeProto& node, Op op) {
  for (const int side : {0, 1}) {
    if (reader.find_constant(node, side) != nullptr) {
      const int other = 1 - side;
      View x = reader.view(node, other);
      const bool ascends = std::is_sorted(
          x.dims.begin(), x.dims.end(), [](const Shape& a, const Shape& b) { return a < b; });
      x = ascends ? x : reader.canonical(node, other);
      std::vector<std::string> inputs{x.node, spread_over(reader, node, side, x)};
      if (side == 0) {
        std::swap(inputs[0], inputs[1]);
      }
      x.node = reader.make(node, op, NoAttributes{}, std::move(inputs));
      reader.define(node, 0, x, /*keep=*/true);
      return;
    }
  }
  View a = reader.view(node, 0);
  View b = reader.view(node, 1);
  const bool alike = a.dims == b.dims && reader.node_shape(a) == reader.node_shape(b);
  if (!alike) {
    a = reader.canonical(node, 0);
    b = reader.canonical(node, 1);
  }
  if (a.dims != b.dims) {
    unsupported_node(node, "of values that hold the batch in different ways");
  }
  a.node = reader.make(node, op, NoAttributes{}, {a.node, b.node});
  reader.define(node, 0, a, /*keep=*/alike);
}

}  // namespace

void read_unary(OnnxReader& reader,
                const onnx::NodeProto& node,
                AttributeReader& attributes,
                Op op) {
  attributes.finish();
  add_mapped(reader, node, op, NoAttributes{});
}

void read_binary(OnnxReader& reader,
                 const onnx::NodeProto& node,
                 AttributeReader& attributes,
                 Op op) {
  attributes.finish();
  if (reader.is_view(node, 0) || reader.is_view(node, 1)) {
    read_binary_of_views(reader, node, op);
    return;
  }
  const std::string a = reader.use(node, 0);
  const std::string b = reader.use(node, 1);
  reader.add(node, op, NoAttributes{}, {a, b});
}

/// Channels are dimension 1, which must be axis 1 of a view's node, too.
void read_batch_norm(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const float epsilon = attributes.real("epsilon", 1e-5F);
  attributes.real("momentum", 0.9F);  // of training only
  attributes.expect("training_mode", int64_t{0});
  attributes.finish();
  if (reader.is_view(node, 0)) {
    const View x = reader.view(node, 0);
    if (!x.batch_first() || x.dims.size() < 2 || x.dims[1] != Shape{1}) {
      reader.use(node, 0);
    }
  }
  std::vector<std::string> parameters;
  for (int i = 1; i < node.input_size(); ++i) {
    parameters.push_back(reader.use(node, i));
  }
  add_mapped(reader, node, Op::BatchNorm, BatchNormAttributes{epsilon}, std::move(parameters));
}

void read_leaky_relu(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const float slope = attributes.real("alpha", 0.01F);
  attributes.finish();
  add_mapped(reader, node, Op::LeakyRelu, LeakyReluAttributes{slope});
}

/// Opset 11 moved the limits from attributes to inputs; one that is left out is no limit.
void read_clip(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  ClipAttributes result{std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max()};
  if (reader.opset() < 11) {
    result.low = attributes.real("min", result.low);
    result.high = attributes.real("max", result.high);
  }
  attributes.finish();
  const auto limit = [&](int i, float otherwise) {
    if (!OnnxReader::has(node, i)) {
      return otherwise;
    }
    return real_of(reader, node, i, "a limit");
  };
  result.low = limit(1, result.low);
  result.high = limit(2, result.high);
  add_mapped(reader, node, Op::Clip, result);
}

/// max(0, min(1, alpha x + beta)) by the ops there are.
void read_hard_sigmoid(OnnxReader& reader,
                       const onnx::NodeProto& node,
                       AttributeReader& attributes) {
  const float alpha = attributes.real("alpha", 0.2F);
  const float beta = attributes.real("beta", 0.5F);
  attributes.finish();
  const bool is_view = reader.is_view(node, 0);
  View x = reader.view(node, 0);
  x.node =
      reader.make(node, Op::Mul, NoAttributes{}, {x.node, scalar(reader, node, "alpha", alpha)});
  x.node = reader.make(node, Op::Add, NoAttributes{}, {x.node, scalar(reader, node, "beta", beta)});
  x.node = reader.make(node, Op::Clip, ClipAttributes{0, 1}, {x.node});
  reader.define(node, 0, x, is_view);
}

/// Squares only, as losses and norms have them.
void read_pow(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.finish();
  if (real_of(reader, node, 1, "the exponent") != 2) {
    unsupported_node(node, "supported: an exponent of 2");
  }
  const bool is_view = reader.is_view(node, 0);
  View x = reader.view(node, 0);
  x.node = reader.make(node, Op::Mul, NoAttributes{}, {x.node, x.node});
  reader.define(node, 0, x, is_view);
}

/// Opset 12 moved the ratio from an attribute to an input.
void read_dropout(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  float rate = 0.5F;
  if (reader.opset() < 12) {
    rate = attributes.real("ratio", rate);
  } else if (OnnxReader::has(node, 1)) {
    rate = real_of(reader, node, 1, "the ratio");
  }
  attributes.integer("seed", 0);  // of training only
  attributes.finish();
  const DropoutGrain grain = read_dropout_remark(node.doc_string());
  add_mapped(reader, node, Op::Dropout, DropoutAttributes{rate, grain});
}

void read_identity(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.finish();
  if (reader.is_view(node, 0)) {
    reader.define(node, 0, reader.view(node, 0), /*keep=*/true);
    return;
  }
  const std::string target = reader.alias_target(node, 0);
  reader.add_alias(node.output(0), target);
}

}  // namespace coppice::graph
