#include "runtime/onednn/plan_builder.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "core/error.h"
#include "runtime/arena.h"
#include "runtime/onednn/builders.h"
#include "runtime/onednn/layout.h"
#include "runtime/onednn/threads.h"

namespace coppice::runtime::onednn {

using dnnl::memory;

PlanBuilder::PlanBuilder(const graph::Model& model,
                         std::span<const Stage> stages,
                         int64_t batch,
                         const dnnl::engine& engine,
                         PackedWeights& weights)
    : model_(model),
      stages_(stages),
      batch_(batch),
      engine_(engine),
      stream_(engine),
      weights_(weights) {
  find_last_uses();
}

Plan PlanBuilder::build() {
  add_inputs();
  for (current_ = 0; current_ < stages_.size(); ++current_) {
    try {
      std::visit([&](const auto& work) { onednn::build(*this, work); }, stage().work);
    } catch (const dnnl::error& error) {
      const graph::Node* node = model_.graph.find(stage().output);
      throw core::Error(core::ErrorKind::Unsupported,
                        fmt::format("node '{}' ({}): oneDNN says '{}'",
                                    stage().output,
                                    node == nullptr ? "?" : graph::to_string(node->op),
                                    error.what()));
    }
  }
  add_outputs();
  return place();
}

int PlanBuilder::threads() const {
  return current_threads();
}

memory::dims PlanBuilder::dims(const graph::Shape& shape) const {
  memory::dims result(shape.begin(), shape.end());
  std::replace(result.begin(), result.end(), graph::kBatch, batch_);
  return result;
}

size_t PlanBuilder::in_layout(const std::string& name, const memory::desc& desc) {
  const Value source = value(name);
  if (!source.is_flattened() && same_layout(source.desc, desc)) {
    return source.buffer;
  }
  for (const Copy& copy : copies_[name]) {
    if (same_layout(copy.desc, desc)) {
      return copy.buffer;
    }
  }
  size_t from = source.buffer;
  memory::desc from_desc = source.desc;
  if (source.is_flattened()) {
    const memory::desc rows = plain(source.desc.dims(), source.dtype);
    const size_t unfolded = new_buffer(rows);
    add_reorder(from, from_desc, unfolded, rows);
    from = unfolded;
    from_desc = plain(source.dims, source.dtype);
    copies_[name].push_back({from_desc, from});
    if (same_layout(from_desc, desc)) {
      return from;
    }
  }
  const size_t buffer = new_buffer(desc);
  add_reorder(from, from_desc, buffer, desc);
  copies_[name].push_back({desc, buffer});
  return buffer;
}

size_t PlanBuilder::in_plain_layout(const std::string& name) {
  return in_layout(name, plain(value(name).dims, value(name).dtype));
}

size_t PlanBuilder::new_buffer(const memory::desc& desc) {
  Buffer buffer;
  buffer.bytes = static_cast<int64_t>(desc.get_size());
  buffers_.push_back(buffer);
  return buffers_.size() - 1;
}

bool PlanBuilder::may_overwrite(const std::string& name) const {
  const auto last = last_uses_.find(root(name));
  return buffers_[value(name).buffer].place == Place::Arena && last != last_uses_.end() &&
         last->second == current_;
}

bool PlanBuilder::share_memory(const std::string& a, const std::string& b) const {
  return root(a) == root(b);
}

void PlanBuilder::add_reorder(size_t from_buffer,
                              const memory::desc& from,
                              size_t to_buffer,
                              const memory::desc& to) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::reorder::primitive_desc reorder(engine_, from, engine_, to, attributes);
  add_primitive(dnnl::reorder(reorder),
                reorder.scratchpad_desc(),
                {{DNNL_ARG_FROM, from, from_buffer, {}}, {DNNL_ARG_TO, to, to_buffer, {}}});
}

void PlanBuilder::add_primitive(const dnnl::primitive& primitive,
                                const memory::desc& scratch,
                                std::vector<Argument> arguments) {
  if (scratch.get_size() > 0) {
    arguments.push_back({DNNL_ARG_SCRATCHPAD, scratch, new_buffer(scratch), {}});
  }
  std::vector<size_t> used;
  for (const Argument& argument : arguments) {
    if (!argument.constant) {
      used.push_back(argument.buffer);
    }
  }
  add_step(
      std::make_unique<PrimitiveStep>(current_node(), primitive, stream_, std::move(arguments)),
      used);
}

/// Behind the last stage, outputs are copied to where the caller wants them.
std::string PlanBuilder::current_node() const {
  return current_ < stages_.size() ? stage().output : "output";
}

void PlanBuilder::add_loop(std::function<void(Buffers)> loop,
                           std::span<const size_t> buffers,
                           std::string label) {
  add_step(std::make_unique<LoopStep>(std::move(loop), std::move(label)), buffers);
}

void PlanBuilder::add_step(std::unique_ptr<Step> step, std::span<const size_t> buffers) {
  const auto now = static_cast<int64_t>(steps_.size());
  for (const size_t index : buffers) {
    Buffer& buffer = buffers_[index];
    buffer.first = buffer.first < 0 ? now : buffer.first;
    buffer.last = now;
  }
  std::string work = step->work();
  labels_.push_back(
      {current_node(), work.empty() ? std::string(name_of(stage().work)) : std::move(work), 0});
  steps_.push_back(std::move(step));
}

void PlanBuilder::define(size_t buffer, const memory::desc& desc) {
  values_.insert_or_assign(stage().output, Value{buffer, desc, dims(stage().shape), stage().dtype});
}

void PlanBuilder::add_inputs() {
  const std::vector<const graph::Node*> inputs = model_.graph.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const memory::dims size = dims(inputs[i]->shape);
    const memory::desc desc = plain(size, inputs[i]->dtype);
    const size_t buffer = new_buffer(desc);
    buffers_[buffer].place = Place::Input;
    buffers_[buffer].port = i;
    values_.insert_or_assign(inputs[i]->name, Value{buffer, desc, size, inputs[i]->dtype});
  }
}

/// An output that already lies in rows is written where the caller wants it; any other is copied
/// there.
void PlanBuilder::add_outputs() {
  const std::vector<std::string>& outputs = model_.graph.outputs;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Value source = value(outputs[i]);
    const memory::desc rows = plain(source.dims, source.dtype);
    const bool in_rows = !source.is_flattened() && same_layout(source.desc, rows);
    size_t target = source.buffer;
    if (!in_rows || buffers_[target].place != Place::Arena) {
      const memory::desc unfolded = plain(source.desc.dims(), source.dtype);
      target = new_buffer(rows);
      add_reorder(source.buffer, source.desc, target, unfolded);
    }
    buffers_[target].place = Place::Output;
    buffers_[target].port = i;
  }
}

void PlanBuilder::find_last_uses() {
  for (size_t i = 0; i < stages_.size(); ++i) {
    const Stage& stage = stages_[i];
    if (std::holds_alternative<Alias>(stage.work)) {
      roots_[stage.output] = root(stage.inputs[0]);
    }
    for (const std::string& input : stage.inputs) {
      last_uses_[root(input)] = i;
    }
  }
  for (const std::string& output : model_.graph.outputs) {
    last_uses_[root(output)] = std::numeric_limits<size_t>::max();
  }
}

const std::string& PlanBuilder::root(const std::string& name) const {
  const auto it = roots_.find(name);
  return it == roots_.end() ? name : it->second;
}

Plan PlanBuilder::place() {
  Plan::Layout layout;
  layout.offsets.assign(buffers_.size(), -1);
  std::vector<Lifetime> lifetimes;
  std::vector<size_t> in_arena;
  for (size_t i = 0; i < buffers_.size(); ++i) {
    const Buffer& buffer = buffers_[i];
    if (buffer.place == Place::Input) {
      layout.inputs.emplace_back(i, buffer.port);
    } else if (buffer.place == Place::Output) {
      layout.outputs.emplace_back(i, buffer.port);
    } else if (buffer.first >= 0) {
      in_arena.push_back(i);
      lifetimes.push_back({buffer.bytes, buffer.first, buffer.last});
    }
  }
  const ArenaPlan plan = plan_arena(lifetimes);
  for (size_t i = 0; i < in_arena.size(); ++i) {
    layout.offsets[in_arena[i]] = plan.offsets[i];
  }
  layout.arena_bytes = plan.bytes;
  return {batch_, std::move(layout), std::move(steps_), std::move(labels_)};
}

}  // namespace coppice::runtime::onednn
