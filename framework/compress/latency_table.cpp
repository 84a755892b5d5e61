#include "compress/latency_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"

namespace coppice::compress {

namespace {

using graph::Node;
using graph::Op;

constexpr const char* kFormat = "coppice-latency-table-1";

/// Ops that a table has entries for; all others count for the layer before them.
bool is_layer(Op op) {
  switch (op) {
    case Op::Input:
    case Op::Conv:
    case Op::ConvTranspose:
    case Op::Gemm:
    case Op::MatMul:
    case Op::Lstm:
    case Op::Gru:
    case Op::MaxPool:
    case Op::AveragePool:
    case Op::GlobalAveragePool:
      return true;
    default:
      return false;
  }
}

std::string joined(const graph::Shape& shape, size_t from = 0) {
  return fmt::format(
      "{}",
      fmt::join(shape.begin() + static_cast<std::ptrdiff_t>(std::min(from, shape.size())),
                shape.end(),
                "x"));
}

template <class Convolution>
std::string convolution(const Convolution& a, int64_t in) {
  std::string text = fmt::format(" {} stride {}", joined(a.kernel), joined(a.stride));
  if (std::any_of(a.dilation.begin(), a.dilation.end(), [](int64_t d) { return d != 1; })) {
    text += " dilation " + joined(a.dilation);
  }
  if (a.groups > 1) {
    text += a.groups == in ? " depthwise" : fmt::format(" groups {}", a.groups);
  }
  return text;
}

/// For every node the layer that its time counts for: itself, or the last one before it.
std::map<std::string, const Node*> owners_of(const graph::Graph& graph) {
  std::map<std::string, const Node*> owners;
  for (const Node& node : graph.nodes) {
    const Node* owner = is_layer(node.op) ? &node : nullptr;
    for (size_t i = 0; !is_layer(node.op) && i < node.inputs.size(); ++i) {
      const auto before = owners.find(node.inputs[i]);
      if (before != owners.end() && before->second != nullptr) {
        owner = std::max(owner, before->second);  // nodes lie in order
      }
    }
    owners[node.name] = owner;
  }
  return owners;
}

[[noreturn]] void refuse_table(const std::string& reason) {
  throw core::Error(core::ErrorKind::Corrupt, "latency table: " + reason);
}

int64_t whole_number(const nlohmann::json& entry, const char* field) {
  if (!entry.at(field).is_number_integer()) {
    refuse_table(fmt::format("'{}' of a layer is no whole number", field));
  }
  return entry.at(field).get<int64_t>();
}

}  // namespace

LatencyTable::Layer LatencyTable::layer_of(const graph::Model& model, const Node& node) {
  Layer layer{.kind = std::string(to_string(node.op)), .width = {}};
  const auto channels = [](const graph::Shape& shape) {
    return shape.size() > 1 ? shape[1] : int64_t{1};
  };
  layer.width.out = channels(node.shape);
  if (node.op == Op::Input) {
    layer.kind += " " + joined(node.shape, 1);
    return layer;
  }
  const graph::Shape& from = model.graph.at(node.inputs[0]).shape;
  layer.width.in = channels(from);
  if (node.op == Op::Conv) {
    layer.kind += convolution(node.as<graph::ConvAttributes>(), layer.width.in);
  } else if (node.op == Op::ConvTranspose) {
    layer.kind += convolution(node.as<graph::ConvTransposeAttributes>(), layer.width.in);
  } else if (node.op == Op::MaxPool || node.op == Op::AveragePool) {
    const auto& a = node.as<graph::PoolAttributes>();
    layer.kind += fmt::format(" {} stride {}", joined(a.kernel), joined(a.stride));
  }
  if (from.size() > 2) {
    layer.kind += " " + joined(from, 2) + " to " + joined(node.shape, 2);
  }
  const bool alone = layer.kind.find("depthwise") != std::string::npos ||
                     layer.kind.find("Pool") != std::string::npos;
  layer.width.in = alone ? 1 : layer.width.in;  // every channel meets one
  return layer;
}

double LatencyTable::work_of(const Width& width) {
  return static_cast<double>(std::max<int64_t>(1, width.in)) *
         static_cast<double>(std::max<int64_t>(1, width.out));
}

void LatencyTable::add(const graph::Model& model, std::span<const runtime::StepTime> steps) {
  const auto owners = owners_of(model.graph);
  std::map<const Node*, double> micros;
  for (const Node& node : model.graph.nodes) {
    if (is_layer(node.op)) {
      micros[&node] = 0;  // also those that are fused into another one
    }
  }
  for (const runtime::StepTime& step : steps) {
    const auto owner = owners.find(step.node);
    if (owner == owners.end() || owner->second == nullptr) {
      throw core::Error(
          core::ErrorKind::Unsupported,
          "latency table: step '" + step.node +
              "' of the profile is no node; profile with a backend that times layers");
    }
    micros[owner->second] += step.micros;
  }
  for (const auto& [node, us] : micros) {
    const Layer layer = layer_of(model, *node);
    Time& time = layers_[layer.kind][layer.width];
    ++time.profiles;
    time.mean_us += (us - time.mean_us) / static_cast<double>(time.profiles);
  }
}

double LatencyTable::look_up(const Layer& layer, const std::string& node) const {
  const auto kind = layers_.find(layer.kind);
  if (kind == layers_.end() || kind->second.empty()) {
    throw core::Error(core::ErrorKind::NotFound,
                      "latency table: it has no layer '" + layer.kind + "' as node '" + node +
                          "' is; profile a network that has one on the device");
  }
  if (const auto exact = kind->second.find(layer.width); exact != kind->second.end()) {
    return exact->second.mean_us;
  }
  const double work = work_of(layer.width);
  std::pair<double, double> below{0, 0};  // work, microseconds
  std::pair<double, double> above{0, 0};
  for (const auto& [width, time] : kind->second) {
    const double known = work_of(width);
    if (known <= work && known > below.first) {
      below = {known, time.mean_us};
    }
    if (known >= work && (above.first == 0 || known < above.first)) {
      above = {known, time.mean_us};
    }
  }
  if (above.first == 0) {
    return below.second * work / below.first;
  }
  const double gap = above.first - below.first;
  const double share = gap > 0 ? (work - below.first) / gap : 1;
  return below.second + share * (above.second - below.second);
}

double LatencyTable::predict(const graph::Model& model) const {
  double micros = 0;
  for (const Node& node : model.graph.nodes) {
    if (is_layer(node.op)) {
      micros += look_up(layer_of(model, node), node.name);
    }
  }
  return micros;
}

std::string LatencyTable::to_json() const {
  nlohmann::json entries = nlohmann::json::array();
  for (const auto& [kind, widths] : layers_) {
    for (const auto& [width, time] : widths) {
      entries.push_back({{"kind", kind},
                         {"in", width.in},
                         {"out", width.out},
                         {"us", time.mean_us},
                         {"profiles", time.profiles}});
    }
  }
  const nlohmann::json table{
      {"format", kFormat}, {"device", device}, {"backend", backend}, {"layers", entries}};
  return table.dump(1) + "\n";
}

LatencyTable LatencyTable::from_json(const std::string& text) {
  LatencyTable table;
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    if (json.at("format") != kFormat) {
      refuse_table(std::string("its format is not ") + kFormat);
    }
    table.device = json.value("device", "");
    table.backend = json.value("backend", "");
    for (const nlohmann::json& entry : json.at("layers")) {
      const Width width{whole_number(entry, "in"), whole_number(entry, "out")};
      const auto us = entry.at("us").get<double>();
      const int64_t profiles = entry.contains("profiles") ? whole_number(entry, "profiles") : 1;
      if (width.in < 0 || width.out < 1 || !std::isfinite(us) || us < 0 || profiles < 1) {
        refuse_table("layer '" + entry.at("kind").get<std::string>() + "' is out of range");
      }
      table.layers_[entry.at("kind").get<std::string>()][width] = {us, profiles};
    }
  } catch (const nlohmann::json::exception& error) {
    const std::string what = error.what();
    refuse_table(what.substr(0, what.find('\n')));
  }
  return table;
}

LatencyTable load_latency_table(const std::filesystem::path& file) {
  try {
    return LatencyTable::from_json(core::read_text(file));
  } catch (const core::Error& error) {
    if (error.kind() == core::ErrorKind::Corrupt) {
      throw core::Error(core::ErrorKind::Corrupt, file.string() + ": " + error.what());
    }
    throw;
  }
}

}  // namespace coppice::compress
