#include <map>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/zoo/blocks.h"
#include "graph/zoo/head.h"
#include "graph/zoo/networks.h"

namespace coppice::graph {

namespace {

/// Turns the list into nodes, one layer after the other.
class LayerStack {
 public:
  LayerStack(Builder& builder, const ModelInput& input)
      : builder_(builder), series_(input.sample_shape.size() == 2) {
    x_ = series_ ? series_input(builder, input)
                 : builder.normalise(builder.input(), input.mean, input.std);
    names_["input"] = x_;
  }

  /// Throws Error{InvalidArgument} for options that do not fit.
  void append(const LayerOptions& layer) {
    const std::vector<std::string> in = inputs(layer);
    x_ = add_node(layer, in);
    if (!layer.name.empty()) {
      x_ = rename(layer, in);
      names_[layer.name] = x_;
    }
  }

  const std::string& last() const { return x_; }

 private:
  [[noreturn]] static void refuse(const std::string& why) {
    throw core::Error(core::ErrorKind::InvalidArgument, why);
  }

  std::vector<std::string> inputs(const LayerOptions& layer) const {
    const bool joins = layer.type == "add" || layer.type == "mul" || layer.type == "concat";
    std::vector<std::string> result;
    if (layer.from.empty() || (joins && layer.from.size() == 1)) {
      result.push_back(x_);
    }
    for (const std::string& name : layer.from) {
      result.push_back(resolve(name));
    }
    if (joins ? result.size() < 2 : result.size() > 1) {
      refuse(joins ? "give at least one name in 'from' to join with the layer before"
                   : "reads one layer; join several with add, mul or concat");
    }
    if (joins && layer.type != "concat" && result.size() > 2) {
      refuse("joins two; chain several");
    }
    return result;
  }

  const std::string& resolve(const std::string& name) const {
    const auto it = names_.find(name);
    if (it == names_.end()) {
      std::vector<std::string> known;
      for (const auto& [layer, node] : names_) {
        known.push_back(layer);
      }
      refuse(fmt::format("'from' names '{}', which is no layer before it{}",
                         name,
                         core::did_you_mean(name, known)));
    }
    return it->second;
  }

  std::string rename(const LayerOptions& layer, const std::vector<std::string>& in) {
    if (names_.contains(layer.name)) {
      refuse(fmt::format("another layer has the name '{}'", layer.name));
    }
    if (x_ == in.front()) {
      return x_;
    }
    return builder_.rename_last(layer.name);
  }

  /// [height, width] of a list with one or two values.
  Shape pair(const std::vector<int64_t>& values, std::string_view what) const {
    if (values.size() == 1) {
      return series_ ? Shape{1, values[0]} : Shape{values[0], values[0]};
    }
    if (values.size() != 2) {
      refuse(fmt::format("{} must have one or two values", what));
    }
    return values;
  }

  Shape pads(const LayerOptions& layer,
             const std::string& x,
             std::string_view otherwise,
             const ConvAttributes& window) const {
    const std::string_view padding = layer.padding == "auto" ? otherwise : layer.padding;
    if (!layer.pads.empty()) {
      if (layer.padding != "auto" || layer.pads.size() != 4) {
        refuse("pads are [top, left, bottom, right], in place of padding");
      }
      return layer.pads;
    }
    const Shape& in = builder_.shape(x);
    if (in.size() != 4) {
      refuse(fmt::format("takes images or windows, its input is {}", to_string(in)));
    }
    if (padding == "same") {
      return same_pads({in[2], in[3]}, window.kernel, window.stride, window.dilation);
    }
    if (padding == "causal") {
      return {0, (window.kernel[1] - 1) * window.dilation[1], 0, 0};
    }
    return {0, 0, 0, 0};
  }

  std::string add_conv(const LayerOptions& layer, const std::string& x) {
    ConvAttributes conv;
    conv.kernel = pair(layer.kernel, "kernel");
    conv.stride = layer.stride.empty() ? Shape{1, 1} : pair(layer.stride, "stride");
    conv.dilation = pair(layer.dilation, "dilation");
    conv.pads = pads(layer, x, "same", conv);
    const bool depthwise = layer.type == "depthwise";
    conv.groups = depthwise ? builder_.shape(x).at(1) : layer.groups;
    return builder_.conv(x, depthwise ? conv.groups : layer.width, conv, layer.bias);
  }

  std::string add_pool(const LayerOptions& layer, const std::string& x) {
    ConvAttributes window;
    window.kernel = pair(layer.kernel, "kernel");
    window.stride = layer.stride.empty() ? window.kernel : pair(layer.stride, "stride");
    const PoolAttributes pool{window.kernel, window.stride, pads(layer, x, "valid", window)};
    return layer.type == "max_pool" ? builder_.max_pool(x, pool) : builder_.average_pool(x, pool);
  }

  std::string add_node(const LayerOptions& layer, const std::vector<std::string>& in) {
    const std::string& x = in.front();
    const std::string& type = layer.type;
    static const std::map<std::string_view, Op> kPlain{{"relu", Op::Relu},
                                                       {"hard_swish", Op::HardSwish},
                                                       {"sigmoid", Op::Sigmoid},
                                                       {"tanh", Op::Tanh},
                                                       {"softmax", Op::Softmax},
                                                       {"flatten", Op::Flatten}};
    static const std::map<std::string_view, DropoutGrain> kDropouts{
        {"dropout", DropoutGrain::Value},
        {"spatial_dropout", DropoutGrain::Channel},
        {"stochastic_depth", DropoutGrain::Sample}};
    if (const auto plain = kPlain.find(type); plain != kPlain.end()) {
      return builder_.unary(plain->second, x);
    }
    if (const auto grain = kDropouts.find(type); grain != kDropouts.end()) {
      return builder_.dropout(x, layer.rate, grain->second);
    }
    if (type == "conv" || type == "depthwise") {
      return add_conv(layer, x);
    }
    if (type == "max_pool" || type == "avg_pool") {
      return add_pool(layer, x);
    }
    if (type == "linear") {
      return builder_.gemm(x, layer.width, layer.bias);
    }
    if (type == "bn") {
      return builder_.batch_norm(x, layer.zero_init ? 0 : 1);
    }
    if (type == "relu6") {
      return builder_.clip(x, 0, 6);
    }
    if (type == "clip") {
      return builder_.clip(x, layer.low, layer.high);
    }
    if (type == "leaky_relu") {
      return builder_.leaky_relu(x, layer.slope);
    }
    if (type == "silu") {
      return builder_.silu(x);
    }
    if (type == "gelu") {
      return builder_.gelu(x);
    }
    if (type == "global_avg_pool") {
      return builder_.global_average_pool(x);
    }
    if (type == "reshape") {
      return builder_.reshape(x, layer.shape);
    }
    if (type == "resize") {
      return builder_.resize(x, pair(layer.scale, "scale"));
    }
    if (type == "slice") {
      return builder_.slice(x, {layer.axis, layer.start, layer.end});
    }
    if (type == "add") {
      return builder_.add(in[0], in[1]);
    }
    if (type == "mul") {
      return builder_.multiply(in[0], in[1]);
    }
    if (type == "concat") {
      return builder_.concat(in, layer.axis);
    }
    refuse(fmt::format("unknown type{}", core::did_you_mean(type, layer_types())));
  }

  Builder& builder_;
  bool series_;
  std::string x_;
  std::map<std::string, std::string> names_;  ///< of layers → nodes
};

}  // namespace

/// Windows [channels, time] become images of height 1. The head stands behind the last layer,
/// flattened where it must be.
Model build_layers(const ModelOptions& options, const ModelInput& input, uint64_t seed) {
  if (options.layers.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument, "model 'layers': the list is empty");
  }
  Builder builder = start_network(input, seed);
  LayerStack stack(builder, input);
  for (size_t i = 0; i < options.layers.size(); ++i) {
    const LayerOptions& layer = options.layers[i];
    try {
      stack.append(layer);
    } catch (const core::Error& error) {
      throw core::Error(error.kind(),
                        fmt::format("model 'layers', layer {} ({}{}{}): {}",
                                    i,
                                    layer.type,
                                    layer.name.empty() ? "" : " ",
                                    layer.name,
                                    error.what()));
    }
  }
  std::string x = stack.last();
  if (options.head != Head::None && builder.shape(x).size() > 2) {
    x = builder.flatten(x);
  }
  return finish_with_head(builder, x, options, input);
}

}  // namespace coppice::graph
