#pragma once

#include <string>
#include <string_view>

#include "graph/tensor.h"

namespace coppice::c_source {

/// Letters, digits and underscores only, and no digit first.
std::string identifier(std::string_view text);

/// Throws Error{InvalidArgument} for a prefix that is no C identifier, a word of the language or
/// the name of a header that the files include.
void check_prefix(const std::string& prefix);

std::string upper_case(std::string_view text);

/// What may stand inside a comment: printable ASCII that neither ends it nor joins lines.
std::string comment(std::string_view text);

/// A C string literal; bytes beyond printable ASCII as octal escapes.
std::string string_literal(std::string_view text);

/// A literal that a compiler reads back to the same bits.
std::string float_literal(float value);

std::string_view c_type(graph::DType dtype);  ///< "uint8_t", "float", …

}  // namespace coppice::c_source
