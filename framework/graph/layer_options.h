#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/fields.h"

namespace coppice::graph {

/// One layer of the model "layers". Each type takes the options that `takes` names; configurations
/// refuse the others. Lists of kernel, stride and dilation are [height, width], or one value for
/// both; of data over time [channels, time] one value is meant along time.
struct LayerOptions {
  std::string type;               ///< of layer_types()
  std::string name;               ///< for `from` of later layers; invented where empty
  std::vector<std::string> from;  ///< what it reads; the layer before where empty
  int64_t width = 16;             ///< channels of a conv, units of a linear
  std::vector<int64_t> kernel{3};
  std::vector<int64_t> stride;  ///< empty: 1 for convolutions, the kernel for pools
  std::vector<int64_t> dilation{1};
  std::string padding = "auto";  ///< "same", "valid", "causal", or auto: same for convolutions,
                                 ///< valid for pools
  std::vector<int64_t> pads;     ///< [top, left, bottom, right] in place of `padding`
  int64_t groups = 1;
  bool bias = true;
  bool zero_init = false;  ///< of a bn: scale starts at 0
  double slope = 0.01;
  double low = 0;
  double high = 6;
  double rate = 0.1;
  std::vector<int64_t> scale{2};
  std::vector<int64_t> shape;
  int64_t axis = 1;
  int64_t start = 0;
  int64_t end = 1;

  void visit(core::Fields& f);
};

/// Every type of layer.
std::span<const std::string_view> layer_types();

/// Whether a layer of this type takes the option; false for an unknown type.
bool layer_takes(std::string_view type, std::string_view option);

}  // namespace coppice::graph
