#include "c_source/loops.h"

#include <algorithm>

#include <fmt/format.h>

namespace coppice::c_source {

Strides spread_strides(const graph::Shape& array, const graph::Shape& shape) {
  Strides strides(shape.size(), 0);
  const size_t offset = shape.size() - array.size();
  int64_t stride = 1;
  for (size_t d = array.size(); d-- > 0;) {
    strides[offset + d] = array[d] == 1 ? 0 : stride;
    stride *= array[d];
  }
  return strides;
}

std::string index_expression(const std::vector<std::string>& variables, const Strides& strides) {
  std::string text;
  for (size_t d = 0; d < variables.size(); ++d) {
    if (strides[d] == 0) {
      continue;
    }
    text += text.empty() ? "" : " + ";
    text += strides[d] == 1 ? variables[d] : fmt::format("{} * {}", variables[d], strides[d]);
  }
  return text.empty() ? "0" : text;
}

Loops make_loops(const graph::Shape& shape, const std::vector<Strides>& arrays) {
  graph::Shape sizes;
  std::vector<Strides> merged(arrays.size());
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) {
      continue;
    }
    const bool joins = !sizes.empty() && [&] {
      for (size_t a = 0; a < arrays.size(); ++a) {
        if (merged[a].back() != arrays[a][d] * shape[d]) {
          return false;
        }
      }
      return true;
    }();
    if (joins) {
      sizes.back() *= shape[d];
    } else {
      sizes.push_back(shape[d]);
    }
    for (size_t a = 0; a < arrays.size(); ++a) {
      if (joins) {
        merged[a].back() = arrays[a][d];
      } else {
        merged[a].push_back(arrays[a][d]);
      }
    }
  }
  if (sizes.empty()) {
    sizes.push_back(1);
    for (Strides& strides : merged) {
      strides.push_back(0);
    }
  }
  Loops loops;
  loops.indent = "  ";
  std::vector<std::string> variables;
  for (size_t d = 0; d < sizes.size(); ++d) {
    variables.push_back(fmt::format("i{}", d));
    loops.begin += fmt::format("{0}for (int32_t {1} = 0; {1} < {2}; ++{1}){3}\n",
                               loops.indent,
                               variables[d],
                               sizes[d],
                               d + 1 == sizes.size() ? " {" : "");
    loops.indent += "  ";
  }
  for (const Strides& strides : merged) {
    loops.indices.push_back(index_expression(variables, strides));
  }
  return loops;
}

}  // namespace coppice::c_source
