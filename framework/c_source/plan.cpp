#include "c_source/plan.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/pass.h"
#include "runtime/arena.h"

namespace coppice::c_source {

namespace {

using graph::Model;
using graph::Node;
using graph::Op;

void check_batched(const Node& node) {
  if (node.shape.empty() || node.shape[0] != graph::kBatch) {
    throw core::Error(core::ErrorKind::Unsupported,
                      fmt::format("node '{}' ({}) has no batch dimension, so it can't be an input "
                                  "or output of C source",
                                  node.name,
                                  graph::to_string(node.op)));
  }
}

Model prepared(const Model& model) {
  graph::verify(model);
  Model result = graph::run_passes(model, graph::inference_passes());
  for (const Node* input : result.graph.inputs()) {
    check_batched(*input);
  }
  for (const std::string& name : result.graph.outputs) {
    check_batched(result.graph.at(name));
  }
  return runtime::keep_quantised(std::move(result));
}

bool only_renames(Op op) {
  return op == Op::Flatten || op == Op::Reshape;
}

/// A DequantizeLinear that the reader undoes value by value.
const Node* dequantisation_before(const runtime::ModelIndex& index, const Node& node) {
  if (node.op != Op::GlobalAveragePool && node.op != Op::AveragePool) {
    return nullptr;
  }
  const Node* source = index.node(node.inputs[0]);
  return source != nullptr && source->op == Op::DequantizeLinear &&
                 runtime::per_tensor_quantisation(index, *source)
             ? source
             : nullptr;
}

std::vector<std::string> sources_of(const runtime::ModelIndex& index, const Work& work) {
  std::vector<std::string> result;
  if (const auto* layer = std::get_if<runtime::QuantisedLayer>(&work)) {
    result = {layer->input};
    if (!layer->residual.empty()) {
      result.push_back(layer->residual);
    }
  } else if (const auto* floats = std::get_if<FloatLayer>(&work)) {
    result = {floats->layer->inputs[0]};
    if (!floats->residual.empty()) {
      result.push_back(floats->residual);
    }
  } else if (const auto* loop = std::get_if<ElementLoop>(&work)) {
    result = loop->sources;
  } else {
    const auto& single = std::get<SingleNode>(work);
    for (const std::string& name :
         (single.dequantise == nullptr ? single.node : single.dequantise)->inputs) {
      if (!index.is_constant(name)) {
        result.push_back(name);
      }
    }
  }
  return result;
}

}  // namespace

int64_t sample_size(const Node& node) {
  return graph::element_count(sample_shape(node));
}

graph::Shape sample_shape(const Node& node) {
  return {node.shape.begin() + 1, node.shape.end()};
}

Plan::Plan(const Model& model) : model_(prepared(model)), index_(model_) {
  plan_steps();
  plan_memory();
}

Work Plan::work_of(const Node& node) {
  if (auto layer = runtime::match_quantised_layer(index_, node)) {
    return std::move(*layer);
  }
  if (const auto layer = match_float_layer(index_, node)) {
    return *layer;
  }
  if (is_elementwise(node.op)) {
    return collect_element_loop(index_, node);
  }
  return SingleNode{&node, dequantisation_before(index_, node)};
}

/// From the outputs backwards, so that what other steps absorb gets none.
void Plan::plan_steps() {
  const std::vector<std::string>& outputs = model_.graph.outputs;
  std::set<std::string> needed(outputs.begin(), outputs.end());
  const std::set<std::string> kept = needed;
  for (size_t i = model_.graph.nodes.size(); i-- > 0;) {
    const Node& node = model_.graph.nodes[i];
    if (!needed.contains(node.name) || node.op == Op::Input || index_.is_constant(node.name)) {
      continue;
    }
    if (only_renames(node.op) && !kept.contains(node.name)) {
      same_memory_[node.name] = node.inputs[0];
      needed.insert(node.inputs[0]);
      continue;
    }
    Work work = work_of(node);
    std::vector<std::string> sources = sources_of(index_, work);
    needed.insert(sources.begin(), sources.end());
    steps_.push_back({&node, std::move(work), std::move(sources)});
  }
  std::reverse(steps_.begin(), steps_.end());
}

const std::string& Plan::root(const std::string& name) const {
  const auto it = same_memory_.find(name);
  return it == same_memory_.end() ? name : root(it->second);
}

void Plan::plan_memory() {
  const auto inputs = model_.graph.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    places_[inputs[i]->name] = {Place::In::Input, static_cast<int64_t>(i)};
  }
  for (size_t i = 0; i < model_.graph.outputs.size(); ++i) {
    const std::string& name = model_.graph.outputs[i];
    if (!places_.try_emplace(name, Place{Place::In::Output, static_cast<int64_t>(i)}).second) {
      copied_outputs_.push_back(i);
    }
  }
  std::map<std::string, size_t> last_reader;
  for (size_t i = 0; i < steps_.size(); ++i) {
    for (const std::string& source : steps_[i].sources) {
      last_reader[root(source)] = i;
    }
  }
  const auto bytes = [](const Node& node) {
    return sample_size(node) * graph::size_bytes(node.dtype);
  };
  std::map<std::string, size_t> slots;
  std::vector<std::string> planned;
  std::vector<runtime::Lifetime> lifetimes;
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Node& output = *steps_[i].output;
    const auto now = static_cast<int64_t>(i);
    if (places_.contains(output.name)) {
      continue;
    }
    const int64_t end = static_cast<int64_t>(last_reader[output.name]);
    size_t slot = planned.size();
    if (std::holds_alternative<ElementLoop>(steps_[i].work)) {
      for (const std::string& source : steps_[i].sources) {
        const auto held = slots.find(root(source));
        const Node& node = *index_.node(source);
        if (held != slots.end() && lifetimes[held->second].last == now &&
            node.dtype == output.dtype && bytes(node) == bytes(output)) {
          slot = held->second;
          break;
        }
      }
    }
    slots[output.name] = slot;
    if (slot < planned.size()) {
      same_memory_[output.name] = planned[slot];
      lifetimes[slot].last = end;
      continue;
    }
    planned.push_back(output.name);
    lifetimes.push_back({bytes(output), now, end});
  }
  const runtime::ArenaPlan plan = runtime::plan_arena(lifetimes);
  arena_bytes_ = plan.bytes;
  for (size_t i = 0; i < planned.size(); ++i) {
    places_[planned[i]] = {Place::In::Arena, plan.offsets[i]};
  }
}

Place Plan::place(const std::string& name) const {
  return places_.at(root(name));
}

}  // namespace coppice::c_source
