#include "graph/onnx/fold.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>

#include "graph/onnx/parameters.h"
#include "graph/onnx/tensor_proto.h"

namespace coppice::graph {

namespace {

constexpr int64_t kMostValues = int64_t{1} << 20;

using Fold = Tensor (*)(OnnxReader&, const onnx::NodeProto&, AttributeReader&);

/// A tensor of this shape whose value i is value source(i) of `from`.
Tensor pick(const onnx::NodeProto& node,
            const Tensor& from,
            Shape shape,
            const std::function<int64_t(Shape&)>& source) {
  const int64_t count = element_count(shape);
  if (count > std::max(from.size(), kMostValues)) {
    unsupported_node(node, fmt::format("constant of {} values", count));
  }
  Tensor result(from.dtype(), shape);
  const auto size = static_cast<size_t>(size_bytes(from.dtype()));
  Shape index(shape.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    Shape place = index;
    std::memcpy(result.bytes() + static_cast<size_t>(i) * size,
                from.bytes() + static_cast<size_t>(source(place)) * size,
                size);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) {
        break;
      }
      index[d] = 0;
    }
  }
  return result;
}

int64_t flat(const Shape& index, const Shape& shape) {
  int64_t place = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    place = place * shape[d] + index[d];
  }
  return place;
}

Tensor integers(Shape values) {
  const auto count = std::ssize(values);
  return Tensor::from<int64_t>({count}, values);
}

Tensor fold_reshape(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  attributes.expect("allowzero", int64_t{0});
  const Tensor& x = reader.constant(node, 0);
  Shape target = integers_of(reader, node, 1);
  int64_t known = 1;
  int64_t* open = nullptr;
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] == 0 && i < x.shape().size()) {
      target[i] = x.dim(i);
    }
    if (target[i] == -1 && open == nullptr) {
      open = &target[i];
    } else if (target[i] < 0 || __builtin_mul_overflow(known, target[i], &known)) {
      corrupt_node(node, fmt::format("shape {}", to_string(target)));
    }
  }
  if (open != nullptr) {
    *open = known > 0 ? x.size() / known : 0;
    known *= *open;
  }
  if (known != x.size()) {
    corrupt_node(node, fmt::format("{} from {}", to_string(target), to_string(x.shape())));
  }
  return x.reshaped(std::move(target));
}

Tensor fold_unsqueeze(OnnxReader& reader,
                      const onnx::NodeProto& node,
                      AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  Shape shape = x.shape();
  Shape axes = list_parameter(reader, node, attributes, "axes", 1, 13).value_or(Shape{});
  const Shape result(shape.size() + axes.size(), 1);
  for (int64_t& axis : axes) {
    axis = axis_of(node, axis, result);
  }
  std::sort(axes.begin(), axes.end());
  for (const int64_t axis : axes) {
    shape.insert(shape.begin() + std::min<int64_t>(axis, std::ssize(shape)), 1);
  }
  return x.reshaped(std::move(shape));
}

Tensor fold_squeeze(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  const auto axes = list_parameter(reader, node, attributes, "axes", 1, 13);
  std::vector<bool> dropped(x.shape().size(), !axes);
  for (const int64_t axis : axes.value_or(Shape{})) {
    dropped[static_cast<size_t>(axis_of(node, axis, x.shape()))] = true;
  }
  Shape shape;
  for (size_t i = 0; i < dropped.size(); ++i) {
    if (!dropped[i] || (!axes && x.dim(i) != 1)) {
      shape.push_back(x.dim(i));
    }
  }
  if (element_count(shape) != x.size()) {
    corrupt_node(node, fmt::format("{} has more than one place there", to_string(x.shape())));
  }
  return x.reshaped(std::move(shape));
}

Tensor fold_transpose(OnnxReader& reader,
                      const onnx::NodeProto& node,
                      AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  Shape order;
  for (size_t i = x.shape().size(); i-- > 0;) {
    order.push_back(static_cast<int64_t>(i));
  }
  order = attributes.integers("perm", order);
  if (order.size() != x.shape().size()) {
    corrupt_node(node, fmt::format("order {} of {}", to_string(order), to_string(x.shape())));
  }
  Shape shape;
  std::vector<bool> seen(order.size());
  for (const int64_t axis : order) {
    if (axis < 0 || axis >= std::ssize(order) || seen[static_cast<size_t>(axis)]) {
      corrupt_node(node, fmt::format("order {} of {}", to_string(order), to_string(x.shape())));
    }
    seen[static_cast<size_t>(axis)] = true;
    shape.push_back(x.dim(static_cast<size_t>(axis)));
  }
  return pick(node, x, std::move(shape), [&](Shape& index) {
    Shape place(index.size());
    for (size_t d = 0; d < index.size(); ++d) {
      place[static_cast<size_t>(order[d])] = index[d];
    }
    return flat(place, x.shape());
  });
}

Tensor fold_gather(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  const auto axis = static_cast<size_t>(axis_of(node, attributes.integer("axis", 0), x.shape()));
  Shape indices = integers_of(reader, node, 1);
  for (int64_t& index : indices) {
    if (index < -x.dim(axis) || index >= x.dim(axis)) {
      corrupt_node(node, fmt::format("index {} of {}", index, to_string(x.shape())));
    }
    index += index < 0 ? x.dim(axis) : 0;
  }
  const Shape& picked = reader.constant(node, 1).shape();
  Shape shape(x.shape().begin(), x.shape().begin() + static_cast<ptrdiff_t>(axis));
  shape.insert(shape.end(), picked.begin(), picked.end());
  shape.insert(shape.end(), x.shape().begin() + static_cast<ptrdiff_t>(axis) + 1, x.shape().end());
  return pick(node, x, shape, [&](Shape& index) {
    const auto first = index.begin() + static_cast<ptrdiff_t>(axis);
    const auto last = first + std::ssize(picked);
    const int64_t chosen = indices[static_cast<size_t>(flat(Shape(first, last), picked))];
    index.erase(first, last);
    index.insert(index.begin() + static_cast<ptrdiff_t>(axis), chosen);
    return flat(index, x.shape());
  });
}

Tensor fold_slice(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  const SliceArguments arguments = slice_arguments(reader, node, attributes, x.shape());
  std::vector<Range> ranges(x.shape().size());
  Shape shape = x.shape();
  for (size_t i = 0; i < arguments.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(arguments.axes[i]);
    const Range range =
        range_within(x.dim(axis),
                     arguments.starts[i],
                     arguments.ends[i],
                     std::clamp<int64_t>(arguments.steps[i], -x.dim(axis) - 1, x.dim(axis) + 1));
    ranges[axis] = range;
    const int64_t way = range.step > 0 ? range.end - range.start : range.start - range.end;
    shape[axis] = way <= 0 ? 0 : (way - 1) / std::abs(range.step) + 1;
  }
  return pick(node, x, shape, [&](Shape& index) {
    for (size_t d = 0; d < index.size(); ++d) {
      index[d] = ranges[d].start + index[d] * ranges[d].step;
    }
    return flat(index, x.shape());
  });
}

Tensor fold_concat(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Tensor& first = reader.constant(node, 0);
  const auto axis =
      static_cast<size_t>(axis_of(node, attributes.integer("axis", 0), first.shape()));
  Shape shape = first.shape();
  shape[axis] = 0;
  for (int i = 0; i < node.input_size(); ++i) {
    const Tensor& part = reader.constant(node, i);
    Shape other = part.shape();
    if (other.size() != shape.size() || part.dtype() != first.dtype()) {
      corrupt_node(node, "inputs of several kinds");
    }
    shape[axis] += other[axis];
    other[axis] = first.dim(axis);
    if (other != first.shape()) {
      corrupt_node(node, "inputs differ beside the axis");
    }
  }
  Tensor result(first.dtype(), shape);
  int64_t outer = 1;
  for (size_t d = 0; d < axis; ++d) {
    outer *= shape[d];
  }
  const int64_t row = outer == 0 ? 0 : result.bytes_size() / outer;
  int64_t offset = 0;
  for (int i = 0; i < node.input_size(); ++i) {
    const Tensor& part = reader.constant(node, i);
    const int64_t bytes = outer == 0 ? 0 : part.bytes_size() / outer;
    for (int64_t o = 0; o < outer; ++o) {
      std::memcpy(
          result.bytes() + o * row + offset, part.bytes() + o * bytes, static_cast<size_t>(bytes));
    }
    offset += bytes;
  }
  return result;
}

template <class To, class From>
Tensor converted(const Tensor& x) {
  Tensor result(std::is_same_v<To, float> ? DType::F32 : DType::I64, x.shape());
  const auto from = x.data<From>();
  const auto to = result.data<To>();
  for (size_t i = 0; i < from.size(); ++i) {
    if constexpr (std::is_same_v<To, int64_t> && std::is_same_v<From, float>) {
      constexpr float kMost = 4e18F;
      to[i] = std::isnan(from[i]) ? 0 : static_cast<int64_t>(std::clamp(from[i], -kMost, kMost));
    } else {
      to[i] = static_cast<To>(from[i]);
    }
  }
  return result;
}

/// To integers of 64 bits or f32; others keep their dtype only.
Tensor fold_cast(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  const int64_t to = attributes.integer("to", 0);
  const bool known = std::in_range<int32_t>(to);
  const DType dtype = from_onnx_dtype(known ? static_cast<int32_t>(to) : 0, describe(node));
  if (dtype == x.dtype()) {
    return x;
  }
  if (dtype == DType::F32 && x.dtype() == DType::I64) {
    return converted<float, int64_t>(x);
  }
  if (dtype == DType::F32 && x.dtype() == DType::I32) {
    return converted<float, int32_t>(x);
  }
  if (dtype == DType::I64 && x.dtype() == DType::F32) {
    return converted<int64_t, float>(x);
  }
  if (dtype == DType::I64 && x.dtype() == DType::I32) {
    return converted<int64_t, int32_t>(x);
  }
  unsupported_node(node,
                   fmt::format("a constant {} to {}", to_string(x.dtype()), to_string(dtype)));
}

int64_t calculate(const onnx::NodeProto& node, int64_t a, int64_t b) {
  const std::string& op = node.op_type();
  int64_t result = 0;
  bool fits = false;
  if (op == "Add") {
    fits = !__builtin_add_overflow(a, b, &result);
  } else if (op == "Sub") {
    fits = !__builtin_sub_overflow(a, b, &result);
  } else if (op == "Mul") {
    fits = !__builtin_mul_overflow(a, b, &result);
  } else if (b != 0 && b != -1) {
    result = a / b;
    fits = true;
  }
  if (!fits) {
    corrupt_node(node, fmt::format("of {} and {}", a, b));
  }
  return result;
}

float calculate(const onnx::NodeProto& node, float a, float b) {
  const std::string& op = node.op_type();
  return op == "Add"   ? a + b
         : op == "Sub" ? a - b
         : op == "Mul" ? a * b
         : op == "Div" ? a / b
                       : std::pow(a, b);
}

template <class T>
Tensor calculated(const onnx::NodeProto& node, const Tensor& a, const Tensor& b) {
  Shape shape(std::max(a.shape().size(), b.shape().size()), 1);
  for (const Tensor* x : {&a, &b}) {
    for (size_t i = 1; i <= x->shape().size(); ++i) {
      const int64_t size = x->dim(x->shape().size() - i);
      int64_t& known = shape[shape.size() - i];
      if (known != 1 && size != 1 && known != size) {
        corrupt_node(node, fmt::format("{} and {}", to_string(a.shape()), to_string(b.shape())));
      }
      known = size == 1 ? known : size;
    }
  }
  const auto spread = [&](const Tensor& x) {
    return pick(node, x, shape, [&](Shape& index) {
      index.erase(index.begin(), index.end() - std::ssize(x.shape()));
      for (size_t d = 0; d < index.size(); ++d) {
        index[d] = x.dim(d) == 1 ? 0 : index[d];
      }
      return flat(index, x.shape());
    });
  };
  Tensor result = spread(a);
  const Tensor right = spread(b);
  for (size_t i = 0; i < result.data<T>().size(); ++i) {
    result.data<T>()[i] = calculate(node, result.data<T>()[i], right.data<T>()[i]);
  }
  return result;
}

Tensor fold_arithmetic(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader&) {
  const Tensor& a = reader.constant(node, 0);
  const Tensor& b = reader.constant(node, 1);
  const bool integers_fit = a.dtype() == DType::I64 && node.op_type() != "Pow";
  if (a.dtype() != b.dtype() || (a.dtype() != DType::F32 && !integers_fit)) {
    unsupported_node(node,
                     "of constants of these dtypes; supported: both f32, but for Pow both i64");
  }
  return a.dtype() == DType::F32 ? calculated<float>(node, a, b) : calculated<int64_t>(node, a, b);
}

template <class F>
Tensor mapped(OnnxReader& reader, const onnx::NodeProto& node, F function) {
  const Tensor& x = reader.constant(node, 0);
  if (x.dtype() != DType::F32) {
    unsupported_node(node, "of a constant that is not f32");
  }
  Tensor result = x.clone();
  for (float& value : result.data<float>()) {
    value = function(value);
  }
  return result;
}

Tensor fold_floor(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader&) {
  return mapped(reader, node, [](float x) { return std::floor(x); });
}

Tensor fold_sqrt(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader&) {
  return mapped(reader, node, [](float x) { return std::sqrt(x); });
}

/// A weight that a file trained with quantisation keeps in f32: saturate(round(x / scale) + zero
/// point), ties to even.
Tensor fold_quantize(OnnxReader& reader, const onnx::NodeProto& node, AttributeReader& attributes) {
  const Tensor& x = reader.constant(node, 0);
  const Tensor& scale = reader.constant(node, 1);
  const Tensor zero =
      OnnxReader::has(node, 2) ? reader.constant(node, 2) : Tensor(DType::U8, scale.shape());
  const bool is_signed = zero.dtype() == DType::I8;
  if (x.dtype() != DType::F32 || scale.dtype() != DType::F32 || zero.size() != scale.size() ||
      (!is_signed && zero.dtype() != DType::U8)) {
    corrupt_node(node, "takes f32, a scale and a zero point of i8 or u8");
  }
  const int64_t given = attributes.integer("axis", 1);
  int64_t inner = std::max<int64_t>(x.size(), 1);
  if (scale.size() != 1) {
    const auto axis = static_cast<size_t>(axis_of(node, given, x.shape()));
    if (x.dim(axis) != scale.size()) {
      corrupt_node(node, fmt::format("{} scales of {}", scale.size(), to_string(x.shape())));
    }
    inner = 1;
    for (size_t d = axis + 1; d < x.shape().size(); ++d) {
      inner *= x.dim(d);
    }
  }
  Tensor result(zero.dtype(), x.shape());
  for (int64_t i = 0; i < x.size(); ++i) {
    const auto slot = static_cast<size_t>(i / inner % scale.size());
    const int shift = is_signed ? int{zero.data<int8_t>()[slot]} : int{zero.data<uint8_t>()[slot]};
    const float level =
        std::nearbyint(x.data<float>()[static_cast<size_t>(i)] / scale.data<float>()[slot]) +
        static_cast<float>(shift);
    const float kept = std::clamp(
        std::isnan(level) ? 0.F : level, is_signed ? -128.F : 0.F, is_signed ? 127.F : 255.F);
    result.bytes()[i] = static_cast<std::byte>(static_cast<int>(kept));
  }
  return result;
}

const std::map<std::string_view, Fold>& folds() {
  static const std::map<std::string_view, Fold> kFolds{
      {"Add", fold_arithmetic},
      {"Cast", fold_cast},
      {"Concat", fold_concat},
      {"Div", fold_arithmetic},
      {"Floor", fold_floor},
      {"Gather", fold_gather},
      {"Mul", fold_arithmetic},
      {"Pow", fold_arithmetic},
      {"QuantizeLinear", fold_quantize},
      {"Reshape", fold_reshape},
      {"Slice", fold_slice},
      {"Sqrt", fold_sqrt},
      {"Squeeze", fold_squeeze},
      {"Sub", fold_arithmetic},
      {"Transpose", fold_transpose},
      {"Unsqueeze", fold_unsqueeze},
  };
  return kFolds;
}

/// Of an activation or a constant; opset 15 allows a part.
void fold_shape(OnnxReader& reader, const onnx::NodeProto& node) {
  AttributeReader attributes(node);
  const Tensor* constant = reader.find_constant(node, 0);
  Shape shape = constant != nullptr ? constant->shape() : reader.shape(reader.view(node, 0));
  const Range part = range_within(std::ssize(shape),
                                  attributes.integer("start", 0),
                                  attributes.integer("end", std::ssize(shape)),
                                  1);
  attributes.finish();
  reader.add_constant(
      node.output(0),
      integers(part.start < part.end ? Shape(shape.begin() + part.start, shape.begin() + part.end)
                                     : Shape{}));
}

void fold_constant_of_shape(OnnxReader& reader, const onnx::NodeProto& node) {
  AttributeReader attributes(node);
  const auto* attribute = attributes.take("value");
  const Tensor value = attribute == nullptr ? Tensor(DType::F32, {1})
                                            : from_onnx_tensor(attribute->t(), node.output(0));
  attributes.finish();
  const Shape shape = integers_of(reader, node, 0);
  if (value.size() != 1) {
    corrupt_node(node, "must fill with one value");
  }
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size < 0) {
      corrupt_node(node, fmt::format("shape {}", to_string(shape)));
    }
    count = size > 0 && count > kMostValues / size ? kMostValues + 1 : count * size;
  }
  const bool depends_on_batch =
      std::any_of(shape.begin(), shape.end(), [](int64_t d) { return d >= kSymbolicBatch; });
  if (value.dtype() == DType::F32 && (depends_on_batch || count > kMostValues)) {
    return reader.add_filled(node.output(0), value.data<float>()[0]);
  }
  reader.add_constant(node.output(0), pick(node, value, shape, [](Shape&) { return int64_t{0}; }));
}

/// Parts and other orders of a constant that is filled with one value are filled with it, too.
bool fold_filled(OnnxReader& reader, const onnx::NodeProto& node) {
  static constexpr std::string_view kMoves[] = {
      "Slice", "Gather", "Transpose", "Unsqueeze", "Squeeze", "Reshape", "Identity"};
  if (!reader.is_filled(node, 0) ||
      std::find(std::begin(kMoves), std::end(kMoves), node.op_type()) == std::end(kMoves)) {
    return false;
  }
  reader.add_filled(node.output(0), reader.filled(node, 0));
  return true;
}

/// A constant that is spread, as first states are.
bool fold_expand(OnnxReader& reader, const onnx::NodeProto& node) {
  const Tensor* value = reader.find_constant(node, 0);
  if (value == nullptr || value->dtype() != DType::F32 || value->size() != 1) {
    return false;
  }
  reader.add_filled(node.output(0), value->data<float>()[0]);
  return true;
}

}  // namespace

bool fold_constant(OnnxReader& reader, const onnx::NodeProto& node) {
  const std::string& op = node.op_type();
  if (node.input_size() == 0 || node.output_size() != 1) {
    return false;
  }
  if (op == "Shape") {
    fold_shape(reader, node);
    return true;
  }
  if (op == "ConstantOfShape") {
    fold_constant_of_shape(reader, node);
    return true;
  }
  if (op == "Expand") {
    return fold_expand(reader, node);
  }
  const auto fold = folds().find(op);
  for (int i = 0; i < node.input_size(); ++i) {
    if (OnnxReader::has(node, i) && reader.find_constant(node, i) == nullptr) {
      return fold_filled(reader, node);
    }
  }
  if (fold == folds().end() || !OnnxReader::has(node, 0)) {
    return false;
  }
  AttributeReader attributes(node);
  Tensor result = fold->second(reader, node, attributes);
  attributes.finish();
  reader.add_constant(node.output(0), std::move(result));
  return true;
}

}  // namespace coppice::graph
