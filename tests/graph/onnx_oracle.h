#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace coppice::graph::testing {

/// ONNX's own checker on a serialised model: its complaint, or "".
std::string complaint_of_onnx(std::string_view model);

/// What ONNX's own inference makes of a model without our intermediate shapes, by node name; -1 for
/// a free dimension.
std::map<std::string, std::vector<int64_t>> shapes_of_onnx(std::string_view model);

}  // namespace coppice::graph::testing
