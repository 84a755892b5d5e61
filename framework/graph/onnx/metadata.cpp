#include "graph/onnx/metadata.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace coppice::graph {

namespace {

constexpr std::string_view kPrefix = "coppice.";
constexpr std::string_view kLineage = "lineage.";
constexpr std::string_view kAnomalyThreshold = "anomaly_threshold";

double parse_threshold(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_number()) {
    throw core::Error(core::ErrorKind::Corrupt,
                      "ONNX property 'coppice.anomaly_threshold' is no number");
  }
  return json.get<double>();
}

std::vector<std::string> parse_classes(const std::string& text) {
  constexpr size_t kLongest = size_t{1} << 22;  // JSON takes many times its text
  if (text.size() > kLongest) {
    throw core::Error(
        core::ErrorKind::Corrupt,
        fmt::format("ONNX property 'coppice.classes' is longer than {} bytes", kLongest));
  }
  const auto json = nlohmann::json::parse(text, nullptr, false);
  std::vector<std::string> names;
  if (!json.is_array()) {
    throw core::Error(core::ErrorKind::Corrupt, "ONNX property 'coppice.classes' is no JSON list");
  }
  for (const auto& name : json) {
    if (!name.is_string()) {
      throw core::Error(core::ErrorKind::Corrupt,
                        "ONNX property 'coppice.classes' holds something else than names");
    }
    names.push_back(name.get<std::string>());
  }
  return names;
}

}  // namespace

void write_onnx_metadata(const Metadata& metadata, onnx::ModelProto& proto) {
  const auto add = [&](const std::string& key, const std::string& value) {
    auto* property = proto.add_metadata_props();
    property->set_key(std::string(kPrefix) + key);
    property->set_value(value);
  };
  add("name", metadata.name);
  add("task", metadata.task);
  try {
    add("classes", nlohmann::json(metadata.class_names).dump());
  } catch (const nlohmann::json::exception&) {
    throw core::Error(core::ErrorKind::InvalidArgument, "a class name is not valid UTF-8");
  }
  if (metadata.anomaly_threshold) {
    add(std::string(kAnomalyThreshold), nlohmann::json(*metadata.anomaly_threshold).dump());
  }
  for (const auto& [key, value] : metadata.lineage) {
    add(std::string(kLineage) + key, value);
  }
}

Metadata read_onnx_metadata(const onnx::ModelProto& proto) {
  Metadata metadata;
  metadata.name = proto.graph().name();
  for (const auto& property : proto.metadata_props()) {
    std::string_view key = property.key();
    if (!key.starts_with(kPrefix)) {
      continue;
    }
    key.remove_prefix(kPrefix.size());
    if (key == "name") {
      metadata.name = property.value();
    } else if (key == "task") {
      metadata.task = property.value();
    } else if (key == "classes") {
      metadata.class_names = parse_classes(property.value());
    } else if (key == kAnomalyThreshold) {
      metadata.anomaly_threshold = parse_threshold(property.value());
    } else if (key.starts_with(kLineage)) {
      metadata.lineage[std::string(key.substr(kLineage.size()))] = property.value();
    }
  }
  return metadata;
}

}  // namespace coppice::graph
