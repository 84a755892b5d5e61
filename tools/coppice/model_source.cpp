#include "coppice/model_source.h"

#include <algorithm>

#include <fmt/format.h>

#include "coppice/bare_input.h"
#include "core/config.h"
#include "core/config_yaml.h"
#include "core/error.h"
#include "graph/onnx.h"

namespace coppice::tools {

namespace {

namespace fs = std::filesystem;
using core::ConfigNode;

/// Only what can still be said of a model that is there.
struct GivenModelFields {
  NetworkFile& file;

  void visit(core::Fields& f) {
    f.field("seed", file.seed, {.help = "of random calibration data", .min = 0, .max = 9e15});
    f.group("quantise", file.quantise, "how --int8 quantises");
  }
};

ConfigNode from_overrides(const std::vector<std::string>& overrides) {
  ConfigNode root = core::parse_config_text("", "--set");
  for (const std::string& assignment : overrides) {
    core::apply_override(root, assignment);
  }
  return root;
}

OpenedModel given(const fs::path& file, const std::vector<std::string>& overrides) {
  NetworkFile options;
  GivenModelFields fields{options};
  core::read_fields(from_overrides(overrides), [&](core::Fields& f) { fields.visit(f); });
  return {graph::load_onnx(file), options.quantise, options.seed};
}

OpenedModel built(const ConfigNode& root) {
  const auto options = core::read_options<NetworkFile>(root);
  graph::Model model = graph::build_model(
      options.model, options.input.to_model_input(), static_cast<uint64_t>(options.seed));
  return {without_idle_preprocessing(std::move(model)), options.quantise, options.seed};
}

/// Files that train a network say more of it than its shape: taken from `student.model` are the
/// network alone and what stands beside it for this command.
ConfigNode network_part(ConfigNode root) {
  for (const char* role : {"student", "teacher"}) {
    const ConfigNode* part = root.find(role);
    const ConfigNode* model = part == nullptr ? nullptr : part->find("model");
    if (root.find("model") != nullptr || model == nullptr) {
      continue;
    }
    ConfigNode network;
    network.kind = ConfigNode::Kind::Map;
    network.file = root.file;
    network.map.emplace_back("model", *model);
    for (const char* key : {"input", "seed", "quantise"}) {
      if (const ConfigNode* value = root.find(key)) {
        network.map.emplace_back(key, *value);
      }
    }
    return network;
  }
  return root;
}

fs::path model_in(const fs::path& folder) {
  for (const char* name : {"model.onnx", "release/model.onnx"}) {
    if (fs::exists(folder / name)) {
      return folder / name;
    }
  }
  throw core::Error(
      core::ErrorKind::NotFound,
      fmt::format("'{}' holds no model.onnx: name a finished run, or the file", folder.string()));
}

}  // namespace

void NetworkInput::visit(core::Fields& f) {
  f.field("dtype", dtype, {.help = "of the raw values", .choices = {"u8", "f32"}});
  f.field("shape",
          shape,
          {.help = "of a sample: channels, height, width; or channels, time; or features",
           .min = 1,
           .max = 1 << 20});
  f.field("mean", mean, {.help = "per channel, taken off raw values in the graph; empty: none"});
  f.field("std", std, {.help = "per channel, that they are divided by; empty: none"});
  f.field("classes", classes, {.help = "of a classifier", .min = 1, .max = 1e6});
  f.field("class_names", class_names, {.help = "instead of classes"});
  f.field("outputs", outputs, {.help = "values that a regressor predicts", .min = 1, .max = 1e6});
}

graph::ModelInput NetworkInput::to_model_input() const {
  graph::ModelInput input;
  input.dtype = dtype == "u8" ? graph::DType::U8 : graph::DType::F32;
  input.sample_shape = shape;
  input.mean = mean.empty() ? std::vector<double>{0} : mean;
  input.std = std.empty() ? std::vector<double>{1} : std;
  input.class_names = class_names;
  for (int64_t i = 0; class_names.empty() && i < classes; ++i) {
    input.class_names.push_back(std::to_string(i));
  }
  input.outputs = outputs;
  return input;
}

void NetworkFile::visit(core::Fields& f) {
  f.group("model", model, "network of the zoo");
  f.group("input", input, "what it reads and predicts");
  f.field("seed", seed, {.help = "of weights and random data", .min = 0, .max = 9e15});
  f.group("quantise", quantise, "how --int8 quantises");
}

OpenedModel open_model(const std::string& source, const std::vector<std::string>& overrides) {
  const fs::path file = source;
  if (fs::is_directory(file)) {
    return given(model_in(file), overrides);
  }
  if (file.extension() == ".yaml" || file.extension() == ".yml") {
    return built(network_part(core::load_config(file, overrides)));
  }
  if (fs::exists(file) || file.extension() == ".onnx") {
    return given(file, overrides);
  }
  const std::vector<std::string> networks = graph::zoo().names();
  if (std::find(networks.begin(), networks.end(), source) == networks.end()) {
    throw core::Error(
        core::ErrorKind::NotFound,
        fmt::format("'{}' is no file, folder or network of the zoo{}; networks are {}",
                    source,
                    core::did_you_mean(source, networks),
                    fmt::join(networks, ", ")));
  }
  std::vector<std::string> assignments{"model.name=" + source};
  assignments.insert(assignments.end(), overrides.begin(), overrides.end());
  return built(from_overrides(assignments));
}

}  // namespace coppice::tools
