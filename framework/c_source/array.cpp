#include "c_source/array.h"

#include <iterator>
#include <type_traits>

#include <fmt/format.h>

#include "c_source/names.h"
#include "core/error.h"

namespace coppice::c_source {

namespace {

constexpr size_t kLineWidth = 98;

template <class T>
void append_values(std::string& text, const graph::Tensor& values) {
  size_t line = kLineWidth;
  std::string literal;
  for (const T value : values.data<T>()) {
    if constexpr (std::is_same_v<T, float>) {
      literal = float_literal(value);
    } else {
      literal.clear();
      fmt::format_to(std::back_inserter(literal), "{}", value);
    }
    if (line + literal.size() + 2 > kLineWidth) {
      text += "\n ";
      line = 1;
    }
    text += ' ';
    text += literal;
    text += ',';
    line += literal.size() + 2;
  }
}

}  // namespace

std::string array_definition(const std::string& name, const graph::Tensor& values) {
  std::string text =
      fmt::format("static const {} {}[{}] = {{", c_type(values.dtype()), name, values.size());
  switch (values.dtype()) {
    case graph::DType::F32:
      append_values<float>(text, values);
      break;
    case graph::DType::U8:
      append_values<uint8_t>(text, values);
      break;
    case graph::DType::I8:
      append_values<int8_t>(text, values);
      break;
    case graph::DType::I32:
      append_values<int32_t>(text, values);
      break;
    case graph::DType::I64:
      COPPICE_CHECK(false, "no step reads such a constant");
  }
  return text + "\n};\n";
}

}  // namespace coppice::c_source
