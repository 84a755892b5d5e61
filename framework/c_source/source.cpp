#include "c_source/source.h"

#include <fmt/format.h>

#include "c_source/array.h"
#include "c_source/header.h"
#include "c_source/names.h"
#include "core/error.h"
#include "core/hash.h"

namespace coppice::c_source {

std::string Source::constant(const graph::Tensor& values) {
  const std::span<const std::byte> bytes(values.bytes(), static_cast<size_t>(values.bytes_size()));
  std::string key = fmt::format("{} {}", graph::to_string(values.dtype()), core::sha256(bytes));
  const auto [it, is_new] = arrays_.try_emplace(std::move(key));
  if (is_new) {
    it->second = fmt::format("k{}", arrays_.size());
    data_ += array_definition(it->second, values);
    constant_bytes_ += values.bytes_size();
  }
  return it->second;
}

std::string Source::constant(const std::vector<float>& values) {
  return constant(graph::Tensor::from<float>({std::ssize(values)}, std::span<const float>(values)));
}

std::string Source::value(const std::string& name) {
  const Place place = plan_.place(name);
  switch (place.in) {
    case Place::In::Input:
      return input_name(plan_, static_cast<size_t>(place.at));
    case Place::In::Output:
      return output_name(plan_, static_cast<size_t>(place.at));
    case Place::In::Arena:
      break;
  }
  return fmt::format("({} *)(void *)(arena.bytes + {})", c_type(plan_.node(name).dtype), place.at);
}

void Source::define(const std::string& name, const std::string& text) {
  if (defined_.try_emplace(name, true).second) {
    functions_ += text;
  }
}

std::string Source::structure(const std::string& type, const std::string& fields) {
  const std::string name = fmt::format("s{}", ++structures_);
  data_ += fmt::format("static const {} {} = {{{}}};\n", type, name, fields);
  return name;
}

std::string filled(std::string text, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    const std::string mark = "@" + name + "@";
    for (size_t at = text.find(mark); at != std::string::npos;
         at = text.find(mark, at + value.size())) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

}  // namespace coppice::c_source
