#include "graph/layer_options.h"

#include <algorithm>
#include <array>
#include <utility>

namespace coppice::graph {

namespace {

using Names = std::vector<std::string_view>;

/// Every type with its options besides `type`, `name` and `from`.
const std::vector<std::pair<std::string_view, Names>>& layer_table() {
  static const std::vector<std::pair<std::string_view, Names>> kTable{
      {"conv", {"width", "kernel", "stride", "dilation", "padding", "pads", "groups", "bias"}},
      {"depthwise", {"kernel", "stride", "dilation", "padding", "pads", "bias"}},
      {"linear", {"width", "bias"}},
      {"bn", {"zero_init"}},
      {"relu", {}},
      {"relu6", {}},
      {"leaky_relu", {"slope"}},
      {"clip", {"low", "high"}},
      {"hard_swish", {}},
      {"silu", {}},
      {"gelu", {}},
      {"sigmoid", {}},
      {"tanh", {}},
      {"softmax", {}},
      {"max_pool", {"kernel", "stride", "padding", "pads"}},
      {"avg_pool", {"kernel", "stride", "padding", "pads"}},
      {"global_avg_pool", {}},
      {"flatten", {}},
      {"reshape", {"shape"}},
      {"resize", {"scale"}},
      {"slice", {"axis", "start", "end"}},
      {"dropout", {"rate"}},
      {"spatial_dropout", {"rate"}},
      {"stochastic_depth", {"rate"}},
      {"add", {}},
      {"mul", {}},
      {"concat", {"axis"}},
  };
  return kTable;
}

}  // namespace

std::span<const std::string_view> layer_types() {
  static const Names kNames = [] {
    Names names;
    for (const auto& [type, options] : layer_table()) {
      names.push_back(type);
    }
    return names;
  }();
  return kNames;
}

bool layer_takes(std::string_view type, std::string_view option) {
  for (const auto& [name, options] : layer_table()) {
    if (name == type) {
      return std::find(options.begin(), options.end(), option) != options.end();
    }
  }
  return false;
}

void LayerOptions::visit(core::Fields& f) {
  core::FieldInfo types{.help = "kind of layer", .required = true};
  types.choices.assign(layer_types().begin(), layer_types().end());
  f.field("type", type, types);
  f.field("name", name, {.help = "for `from` of later layers"});
  f.field("from",
          from,
          {.help = "layers it reads, 'input' for the standardised input; empty: the layer before. "
                   "add, mul and concat join one name with the layer before, several with each "
                   "other"});
  const auto offer = [&](std::string_view option, auto& value, const core::FieldInfo& info) {
    if (f.wants_every_field() || layer_takes(type, option)) {
      f.field(option, value, info);
    }
  };
  constexpr double kMost = 65536;
  offer("width", width, {.help = "channels or units", .min = 1, .max = kMost});
  offer("kernel", kernel, {.help = "[height, width], or one for both", .min = 1, .max = kMost});
  offer("stride",
        stride,
        {.help = "as kernel; empty: 1 for convolutions, the kernel for pools",
         .min = 1,
         .max = kMost});
  offer("dilation", dilation, {.help = "as kernel", .min = 1, .max = kMost});
  offer("padding",
        padding,
        {.help = "same: output = input / stride, rounded up; causal: of the left by kernel - 1; "
                 "auto: same for convolutions, valid for pools",
         .choices = {"auto", "same", "valid", "causal"}});
  offer("pads",
        pads,
        {.help = "[top, left, bottom, right] in place of padding", .min = 0, .max = kMost});
  offer("groups", groups, {.help = "of channels that see each other", .min = 1, .max = kMost});
  offer("bias", bias, {.help = "off where a bn follows"});
  offer(
      "zero_init", zero_init, {.help = "start with scale 0: a residual branch starts as nothing"});
  offer("slope", slope, {.help = "of negative values", .min = -1, .max = 1});
  offer("low", low, {.help = "lower limit", .min = -1e6, .max = 1e6});
  offer("high", high, {.help = "upper limit", .min = -1e6, .max = 1e6});
  offer("rate", rate, {.help = "share that is zeroed in training", .min = 0, .max = 0.95});
  offer("scale", scale, {.help = "as kernel", .min = 1, .max = 1024});
  offer("shape", shape, {.help = "of a sample", .min = 1, .max = 2147483647});
  offer("axis", axis, {.help = "1: channels", .min = 1, .max = 7});
  offer("start", start, {.help = "first position that stays", .min = 0, .max = 2147483647});
  offer("end", end, {.help = "behind the last one", .min = 1, .max = 2147483647});
}

}  // namespace coppice::graph
