#include <cmath>
#include <type_traits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/config.h"

namespace coppice::core {

namespace {

using Json = nlohmann::ordered_json;

/// Without a decimal point where there is none.
Json number(double value) {
  const bool whole = std::trunc(value) == value && std::abs(value) < 0x1.0p53;
  return whole ? Json(static_cast<int64_t>(value)) : Json(value);
}

template <class T>
Json type_of(const FieldInfo& info) {
  Json schema;
  if constexpr (std::is_same_v<T, bool>) {
    schema["type"] = "boolean";
  } else if constexpr (std::is_same_v<T, std::string>) {
    schema["type"] = "string";
    if (!info.choices.empty()) {
      schema["enum"] = info.choices;
    }
  } else {
    schema["type"] = std::is_same_v<T, int64_t> ? "integer" : "number";
    if (std::isfinite(info.min)) {
      schema["minimum"] = number(info.min);
    }
    if (std::isfinite(info.max)) {
      schema["maximum"] = number(info.max);
    }
  }
  return schema;
}

class SchemaWriter final : public Fields {
 public:
  bool wants_every_field() const override { return true; }

  void field(std::string_view name, bool& value, const FieldInfo& info) override {
    put(name, type_of<bool>(info), value, info);
  }

  void field(std::string_view name, int64_t& value, const FieldInfo& info) override {
    put(name, type_of<int64_t>(info), value, info);
  }

  void field(std::string_view name, double& value, const FieldInfo& info) override {
    put(name, type_of<double>(info), std::isfinite(value) ? Json(value) : Json(), info);
  }

  void field(std::string_view name, std::string& value, const FieldInfo& info) override {
    put(name, type_of<std::string>(info), value, info);
  }

  void field(std::string_view name, std::vector<int64_t>& value, const FieldInfo& info) override {
    put(name, array(type_of<int64_t>(info)), value, info);
  }

  void field(std::string_view name, std::vector<double>& value, const FieldInfo& info) override {
    put(name, array(type_of<double>(info)), value, info);
  }

  void field(std::string_view name,
             std::vector<std::string>& value,
             const FieldInfo& info) override {
    put(name, array(type_of<std::string>(info)), value, info);
  }

  Json schema(std::string_view help = "") const {
    Json result;
    if (!help.empty()) {
      result["description"] = help;
    }
    result["type"] = "object";
    result["properties"] = properties_;
    if (!required_.empty()) {
      result["required"] = required_;
    }
    result["additionalProperties"] = false;
    return result;
  }

 protected:
  void visit_group(std::string_view name, std::string_view help, const VisitOne& visit) override {
    SchemaWriter inner;
    visit(inner);
    properties_[std::string(name)] = inner.schema(help);
    values_[std::string(name)] = inner.values_;
    if (!inner.required_.empty()) {
      required_.emplace_back(name);
    }
  }

  void visit_list(std::string_view name,
                  std::string_view help,
                  size_t size,
                  const Resize&,
                  const VisitElement& visit) override {
    SchemaWriter shape;
    visit(size, shape);
    Json schema = array(shape.schema());
    schema["description"] = help;
    schema["default"] = Json::array();
    for (size_t i = 0; i < size; ++i) {
      SchemaWriter inner;
      visit(i, inner);
      schema["default"].push_back(inner.values_);
    }
    values_[std::string(name)] = schema["default"];
    properties_[std::string(name)] = std::move(schema);
  }

 private:
  static Json array(Json items) {
    Json schema;
    schema["type"] = "array";
    schema["items"] = std::move(items);
    return schema;
  }

  void put(std::string_view name, Json schema, const Json& value, const FieldInfo& info) {
    schema["description"] =
        info.unit.empty() ? std::string(info.help) : fmt::format("{} [{}]", info.help, info.unit);
    values_[std::string(name)] = value;
    if (info.required) {
      required_.emplace_back(name);
    } else if (!value.is_null()) {
      schema["default"] = value;
    }
    properties_[std::string(name)] = std::move(schema);
  }

  Json properties_ = Json::object();
  Json values_ = Json::object();  ///< as they stand, for the defaults of lists
  std::vector<std::string> required_;
};

Json extends_schema() {
  const Json file = {{"type", "string"}};
  return {
      {"description", "files to build on, relative to this one; later ones override earlier ones"},
      {"oneOf", Json::array({file, Json{{"type", "array"}, {"items", file}}})}};
}

}  // namespace

std::string json_schema(const std::function<void(Fields&)>& visit, std::string_view title) {
  SchemaWriter writer;
  visit(writer);
  Json result;
  result["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  result["title"] = title;
  result.update(writer.schema());
  result["properties"]["extends"] = extends_schema();
  return result.dump(2) + "\n";
}

}  // namespace coppice::core
