#include "coppice/list.h"

#include <algorithm>

#include <fmt/format.h>

#include "compress/prune.h"
#include "coppice/experiment_file.h"
#include "core/error.h"
#include "data/reader.h"
#include "data/transform.h"
#include "graph/op.h"
#include "graph/zoo.h"
#include "monitor/drift.h"
#include "runtime/engine.h"
#include "sweep/sampler.h"

namespace coppice::tools {

namespace {

struct Section {
  std::string kind;
  std::vector<std::pair<std::string, std::string>> rows;
};

template <class T>
Section section(const std::string& kind, const core::Registry<T>& registry) {
  Section result{kind, {}};
  for (const auto& [name, entry] : registry.entries()) {
    result.rows.emplace_back(name, entry.help);
  }
  return result;
}

std::vector<Section> sections() {
  std::vector<Section> all{section("models", graph::zoo()),
                           section("readers", data::readers()),
                           section("transforms", data::transforms()),
                           section("criteria", compress::criteria()),
                           section("samplers", sweep::samplers()),
                           section("drift-detectors", monitor::drift_detectors())};
  Section backends{"backends", {}};
  for (const auto& name : runtime::backends()) {
    backends.rows.emplace_back(name, "inference engine");
  }
  Section ops{"ops", {}};
  for (const auto& op : graph::all_ops()) {
    ops.rows.emplace_back(op.name, fmt::format("ONNX {}", op.onnx_name));
  }
  Section kinds{"experiments",
                {{"train", "train, compress, evaluate, report"},
                 {"loop", "the closed loop with a simulated fleet"},
                 {"compress", "stages of training, pruning, quantising, … in any order"},
                 {"sweep", "trials of another experiment file"}}};
  all.push_back(std::move(backends));
  all.push_back(std::move(ops));
  all.push_back(std::move(kinds));
  return all;
}

}  // namespace

std::string list_components(const std::string& kind) {
  std::string text;
  std::vector<std::string> kinds;
  for (const Section& s : sections()) {
    kinds.push_back(s.kind);
    if (!kind.empty() && s.kind != kind) {
      continue;
    }
    text += s.kind + "\n";
    for (const auto& [name, help] : s.rows) {
      text += fmt::format("  {:<20} {}\n", name, help);
    }
  }
  if (text.empty()) {
    throw core::Error(core::ErrorKind::NotFound,
                      fmt::format("there are no components of kind '{}'{}: kinds are {}",
                                  kind,
                                  core::did_you_mean(kind, kinds),
                                  fmt::join(kinds, ", ")));
  }
  return text;
}

}  // namespace coppice::tools
