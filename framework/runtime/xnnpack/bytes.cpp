#include "runtime/quantised.h"
#include "runtime/xnnpack/loops.h"
#include "runtime/xnnpack/stage.h"

namespace coppice::runtime::xnnpack {

namespace {

using graph::DType;
using graph::Node;
using graph::Op;

constexpr int64_t kMostPixels = int64_t{1} << 23;  // whose bytes, less a zero point, 32 bits sum

Scaled native_scaled(const Quantisation& quantisation) {
  return {quantisation.scale, quantisation.zero_point + native_offset(quantisation.dtype)};
}

struct ByteSource {
  std::string name;
  Scaled scaled;
};

/// The 8-bit value that a per-tensor DQ of this name dequantises.
std::optional<ByteSource> byte_source(const ModelIndex& index, const std::string& name) {
  const Node* node = index.node(name);
  if (node == nullptr || node->op != Op::DequantizeLinear || index.is_constant(name)) {
    return std::nullopt;
  }
  const auto quantisation = per_tensor_quantisation(index, *node);
  return quantisation ? std::optional(ByteSource{node->inputs[0], native_scaled(*quantisation)})
                      : std::nullopt;
}

/// What a per-tensor Q that nobody else's value feeds quantises, or nullptr.
std::pair<const Node*, Scaled> quantised_node(const ModelIndex& index, const Node& last) {
  if (last.op == Op::QuantizeLinear) {
    if (const auto quantisation = per_tensor_quantisation(index, last)) {
      return {index.private_node(last.inputs[0]), native_scaled(*quantisation)};
    }
  }
  return {nullptr, {}};
}

}  // namespace

/// Add(DQ(a), DQ(b)) → [Relu] → Q.
std::optional<Stage> match_byte_sum(ModelIndex& index, const Node& last) {
  ByteSum sum;
  const Node* node = nullptr;
  std::tie(node, sum.out) = quantised_node(index, last);
  if (node != nullptr && node->op == Op::Relu) {
    sum.relu = true;
    node = index.private_node(node->inputs[0]);
  }
  if (node == nullptr || node->op != Op::Add) {
    return std::nullopt;
  }
  const auto a = byte_source(index, node->inputs[0]);
  const auto b = byte_source(index, node->inputs[1]);
  if (!a || !b || index.node(a->name)->shape != index.node(b->name)->shape) {
    return std::nullopt;
  }
  sum.a = a->scaled;
  sum.b = b->scaled;
  return Stage{
      &last, {a->name, b->name}, [sum, left = a->name, right = b->name, &last](Builder& builder) {
        const size_t x = builder.native(left);
        const size_t y = builder.native(right);
        const size_t z = builder.new_buffer(last);
        builder.add_loop(
            "add bytes",
            [=, memory = builder.memory(), size = sample_size(last.shape)](int64_t batch) {
              sum.run(memory->at<int8_t>(x),
                      memory->at<int8_t>(y),
                      batch * size,
                      memory->at<int8_t>(z));
            },
            {x, y, z});
        builder.define(last, Form::Native, z);
        return true;
      }};
}

/// GlobalAveragePool(DQ(x)) → [Q].
std::optional<Stage> match_byte_mean(ModelIndex& index, const Node& last) {
  auto [node, out] = quantised_node(index, last);
  const bool is_float = node == nullptr;
  node = is_float ? &last : node;
  if (node->op != Op::GlobalAveragePool) {
    return std::nullopt;
  }
  const auto x = byte_source(index, node->inputs[0]);
  if (!x) {
    return std::nullopt;
  }
  const graph::Shape& image = index.node(x->name)->shape;
  if (image[2] * image[3] > kMostPixels) {
    return std::nullopt;
  }
  return Stage{&last, {x->name}, [source = *x, to = out, is_float, &last](Builder& builder) {
                 const graph::Shape& shape = builder.node(source.name).shape;
                 const int64_t channels = shape[1];
                 const int64_t pixels = shape[2] * shape[3];
                 const size_t from = builder.native(source.name);
                 const size_t sums = builder.new_buffer(channels * int64_t{sizeof(int32_t)});
                 const size_t means = builder.new_buffer(channels * int64_t{sizeof(float)});
                 const size_t target = is_float ? means : builder.new_buffer(last);
                 builder.add_loop(
                     "mean of bytes",
                     [=, memory = builder.memory(), scaled = source.scaled](int64_t batch) {
                       auto* sum = memory->at<int32_t>(sums);
                       auto* mean = memory->at<float>(means);
                       const float scale =
                           static_cast<float>(double{scaled.scale} / static_cast<double>(pixels));
                       for (int64_t n = 0; n < batch; ++n, sum += channels, mean += channels) {
                         sum_pixels(memory->at<int8_t>(from) + n * pixels * channels,
                                    scaled.zero,
                                    pixels,
                                    channels,
                                    sum);
                         for (int64_t c = 0; c < channels; ++c) {
                           mean[c] = static_cast<float>(sum[c]) * scale;
                         }
                       }
                       if (!is_float) {
                         quantise(memory->at<float>(means),
                                  to.scale,
                                  to.zero,
                                  batch * channels,
                                  memory->at<int8_t>(target));
                       }
                     },
                     {from, sums, means, target});
                 builder.define(last, Form::Native, target);
                 return true;
               }};
}

/// Q of floats by one scale.
std::optional<Stage> match_quantise_floats(ModelIndex& index, const Node& last) {
  if (last.op != Op::QuantizeLinear || !is_float_activation(index, last.inputs[0])) {
    return std::nullopt;
  }
  const auto quantisation = per_tensor_quantisation(index, last);
  if (!quantisation) {
    return std::nullopt;
  }
  return Stage{
      &last, {last.inputs[0]}, [to = native_scaled(*quantisation), &last](Builder& builder) {
        const size_t x = builder.native(last.inputs[0]);
        const size_t y = builder.new_buffer(last);
        builder.add_loop(
            "f32 to bytes",
            [=, memory = builder.memory(), size = sample_size(last.shape)](int64_t batch) {
              quantise(
                  memory->at<float>(x), to.scale, to.zero, batch * size, memory->at<int8_t>(y));
            },
            {x, y});
        builder.define(last, Form::Native, y);
        return true;
      }};
}

}  // namespace coppice::runtime::xnnpack
