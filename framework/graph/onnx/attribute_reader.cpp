#include "graph/onnx/attribute_reader.h"

#include <fmt/format.h>

#include "core/error.h"
#include "graph/onnx/reader.h"

namespace coppice::graph {

AttributeReader::AttributeReader(const onnx::NodeProto& node) : node_(node) {
  for (const auto& attribute : node.attribute()) {
    if (!unread_.emplace(attribute.name(), &attribute).second) {
      corrupt_node(node, fmt::format("attribute '{}' is given twice", attribute.name()));
    }
  }
}

const onnx::AttributeProto* AttributeReader::take(std::string_view name) {
  const auto it = unread_.find(name);
  if (it == unread_.end()) {
    return nullptr;
  }
  const onnx::AttributeProto* attribute = it->second;
  unread_.erase(it);
  return attribute;
}

const onnx::AttributeProto* AttributeReader::take(std::string_view name, int type) {
  const onnx::AttributeProto* attribute = take(name);
  if (attribute != nullptr && attribute->type() != type) {
    corrupt_node(node_, fmt::format("attribute '{}' has another type", name));
  }
  return attribute;
}

bool AttributeReader::has(std::string_view name) const {
  return unread_.contains(name);
}

int64_t AttributeReader::integer(std::string_view name, int64_t otherwise) {
  const auto* attribute = take(name, onnx::AttributeProto::INT);
  return attribute == nullptr ? otherwise : attribute->i();
}

float AttributeReader::real(std::string_view name, float otherwise) {
  const auto* attribute = take(name, onnx::AttributeProto::FLOAT);
  return attribute == nullptr ? otherwise : attribute->f();
}

Shape AttributeReader::integers(std::string_view name, Shape otherwise) {
  const auto* attribute = take(name, onnx::AttributeProto::INTS);
  if (attribute == nullptr) {
    return otherwise;
  }
  return {attribute->ints().begin(), attribute->ints().end()};
}

void AttributeReader::expect(std::string_view name, int64_t value) {
  if (const int64_t found = integer(name, value); found != value) {
    refuse(name, fmt::format("is {}; supported: {}", found, value));
  }
}

void AttributeReader::expect(std::string_view name, float value) {
  if (const float found = real(name, value); found != value) {
    refuse(name, fmt::format("is {}; supported: {}", found, value));
  }
}

void AttributeReader::expect_text(std::string_view name, std::string_view value) {
  const auto* attribute = take(name, onnx::AttributeProto::STRING);
  if (attribute != nullptr && attribute->s() != value) {
    refuse(name, fmt::format("is '{}'; supported: {}", attribute->s(), value));
  }
}

void AttributeReader::finish() const {
  if (!unread_.empty()) {
    refuse(unread_.begin()->first, "is not supported");
  }
}

void AttributeReader::refuse(std::string_view name, const std::string& why) const {
  unsupported_node(node_, fmt::format("attribute '{}' {}", name, why));
}

}  // namespace coppice::graph
