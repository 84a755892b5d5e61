#include "c_source/names.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::c_source {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Words of the language, and headers that the files include.
constexpr std::array<std::string_view, 40> kWords{
    "auto",   "break",    "case",   "char",   "const",    "continue", "default", "do",
    "double", "else",     "enum",   "extern", "float",    "for",      "goto",    "if",
    "inline", "int",      "long",   "main",   "register", "restrict", "return",  "short",
    "signed", "sizeof",   "static", "struct", "switch",   "typedef",  "union",   "unsigned",
    "void",   "volatile", "while",  "_Bool",  "_Complex", "math",     "stdint",  "string"};

}  // namespace

std::string identifier(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += is_letter(c) || is_digit(c) ? c : '_';
  }
  return result.empty() || is_digit(result[0]) ? "model_" + result : result;
}

void check_prefix(const std::string& prefix) {
  const bool good =
      !prefix.empty() && is_letter(prefix[0]) &&
      std::all_of(
          prefix.begin(), prefix.end(), [](char c) { return is_letter(c) || is_digit(c); }) &&
      std::find(kWords.begin(), kWords.end(), prefix) == kWords.end();
  if (!good) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("prefix '{}' names nothing in C: it takes letters, digits and '_', no digit "
                    "first, and is no word of the language and no standard header; '{}' would do",
                    prefix,
                    identifier(prefix) == prefix ? prefix + "_" : identifier(prefix)));
  }
}

std::string upper_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return result;
}

std::string comment(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain = c >= ' ' && c <= '~' && c != '\\' && c != '?';
    const bool ends = c == '/' && !result.empty() && (result.back() == '*' || result.back() == '/');
    const bool begins = c == '*' && !result.empty() && result.back() == '/';
    result += plain && !ends && !begins ? c : '.';
  }
  return result;
}

std::string string_literal(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '?') {  // "??" begins a trigraph
      result += '\\';
      result += c;
    } else if (c >= ' ' && c <= '~') {
      result += c;
    } else {
      result += fmt::format("\\{:03o}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return result + "\"";
}

std::string float_literal(float value) {
  if (std::isnan(value)) {
    return "NAN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "INFINITY" : "-INFINITY";
  }
  std::string text = fmt::format("{:.9g}", value);
  if (text.find_first_of(".e") == std::string::npos) {
    text += ".0";
  }
  return text + "f";
}

std::string_view c_type(graph::DType dtype) {
  switch (dtype) {
    case graph::DType::F32:
      return "float";
    case graph::DType::U8:
      return "uint8_t";
    case graph::DType::I8:
      return "int8_t";
    case graph::DType::I32:
      return "int32_t";
    case graph::DType::I64:
      return "int64_t";
  }
  COPPICE_CHECK(false, "dtype out of range");
  return "";
}

}  // namespace coppice::c_source
