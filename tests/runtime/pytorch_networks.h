#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/files.h"
#include "graph/onnx.h"

namespace coppice::runtime::testing {

/// A network that PyTorch exported, with an input and what PyTorch makes of it.
struct Exported {
  graph::Model model;
  graph::Tensor input;
  graph::Tensor output;
};

/// Names of the networks that make_pytorch_networks.py has written to the folder PYTORCH_NETWORKS.
inline std::vector<std::string> exported_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(PYTORCH_NETWORKS)) {
    if (entry.path().extension() == ".onnx") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

inline Exported load_exported(const std::string& name) {
  const std::filesystem::path folder = PYTORCH_NETWORKS;
  const auto json = nlohmann::json::parse(core::read_text(folder / (name + ".json")));
  const auto tensor = [&](const char* key) {
    const auto values = json.at(key).at("values").get<std::vector<float>>();
    return graph::Tensor::from<float>(json.at(key).at("shape").get<graph::Shape>(), values);
  };
  return {graph::load_onnx(folder / (name + ".onnx")), tensor("input"), tensor("output")};
}

}  // namespace coppice::runtime::testing
