#include "runtime/xnnpack/builder.h"

#include <algorithm>

#include "core/error.h"
#include "runtime/reference/kernel.h"

namespace coppice::runtime::xnnpack {

using graph::Node;

namespace {

int64_t sample_bytes_of(const Node& value) {
  return sample_size(value.shape) * graph::size_bytes(value.dtype);
}

/// Whether both forms are the same bytes.
bool is_one_form(const Node& value) {
  return conversion(value, Form::Native).is_copy();
}

}  // namespace

size_t Builder::native(const std::string& name) {
  Value& value = values_.at(name);
  if (!value.native) {
    const size_t buffer = new_buffer(*value.node);
    convert(*value.node, *value.plain, buffer, Form::Native);
    value.native = buffer;
  }
  return *value.native;
}

size_t Builder::plain(const std::string& name) {
  Value& value = values_.at(name);
  if (!value.plain) {
    const size_t buffer = new_buffer(*value.node);
    convert(*value.node, *value.native, buffer, Form::Plain);
    value.plain = buffer;
  }
  return *value.plain;
}

std::pair<size_t, Form> Builder::as_it_lies(const std::string& name) const {
  const Value& value = values_.at(name);
  return value.native ? std::pair{*value.native, Form::Native}
                      : std::pair{*value.plain, Form::Plain};
}

size_t Builder::new_buffer(int64_t sample_bytes) {
  buffers_.push_back({sample_bytes, -1, -1, false});
  return buffers_.size() - 1;
}

size_t Builder::new_buffer(const Node& value) {
  return new_buffer(sample_bytes_of(value));
}

void Builder::define(const Node& node, Form form, size_t buffer) {
  Value& value = values_[node.name];
  value.node = &node;
  if (form == Form::Native || is_one_form(node)) {
    value.native = buffer;
  }
  if (form == Form::Plain || is_one_form(node)) {
    value.plain = buffer;
  }
}

void Builder::alias(const Node& node, const std::string& source) {
  const Value& from = values_.at(source);
  const bool keeps_native =
      from.native && (node.shape == from.node->shape ||
                      !(is_transposed(node.shape) || is_transposed(from.node->shape)));
  if (keeps_native) {
    const size_t buffer = *from.native;
    define(node, Form::Native, buffer);
  }
  if (!keeps_native || from.plain) {
    const size_t buffer = plain(source);
    values_[node.name].node = &node;
    values_[node.name].plain = buffer;
  }
}

void Builder::add_operator(std::string work,
                           Operator made,
                           Setup setup,
                           std::initializer_list<size_t> buffers) {
  for (const size_t buffer : buffers) {
    touch(buffer);
  }
  steps_.push_back({current_, std::move(work), std::move(made), std::move(setup), {}});
}

void Builder::add_loop(std::string work, Loop loop, const std::vector<size_t>& buffers) {
  for (const size_t buffer : buffers) {
    touch(buffer);
  }
  steps_.push_back({current_, std::move(work), nullptr, {}, std::move(loop)});
}

void Builder::add_reference(const Node& node) {
  struct Call {
    const Node* node;
    std::vector<reference::View> views;  ///< the output last
    std::vector<const reference::View*> operands;
    std::vector<std::optional<size_t>> buffers;
    std::vector<graph::Tensor> constants;
  };

  auto call = std::make_shared<Call>();
  call->node = &node;
  std::vector<size_t> used;
  for (const std::string& name : node.inputs) {
    if (index_->is_constant(name)) {
      call->constants.push_back(index_->constant(name));
      call->views.push_back(reference::view_of(call->constants.back()));
      call->buffers.emplace_back();
    } else {
      used.push_back(plain(name));
      const Node& value = this->node(name);
      call->views.push_back({value.dtype, value.shape, nullptr});
      call->buffers.emplace_back(used.back());
    }
  }
  used.push_back(new_buffer(node));
  call->views.push_back({node.dtype, node.shape, nullptr});
  call->buffers.emplace_back(used.back());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    call->operands.push_back(&call->views[i]);
  }
  add_loop(
      "reference " + std::string(graph::to_string(node.op)),
      [call, memory = memory_](int64_t batch) {
        for (size_t i = 0; i < call->views.size(); ++i) {
          if (call->buffers[i]) {
            call->views[i].data = memory->at<std::byte>(*call->buffers[i]);
            call->views[i].shape[0] = batch;
          }
        }
        reference::run_node(*call->node, call->operands, call->views.back());
      },
      used);
  define(node, Form::Plain, used.back());
}

size_t Builder::add_port() {
  buffers_.push_back({0, -1, -1, true});
  return buffers_.size() - 1;
}

void Builder::add_input(const Node& node) {
  values_[node.name] = {&node, add_port(), {}};
}

void Builder::add_output(const std::string& name, size_t port) {
  const Value& value = values_.at(name);
  const bool is_plain = value.plain.has_value();
  Conversion copy = conversion(*value.node, Form::Plain);
  if (is_plain) {
    copy = {value.node->dtype, sample_size(value.node->shape), 1, false};
  }
  const size_t from = is_plain ? *value.plain : *value.native;
  add_loop("output",
           [copy, from, port, memory = memory_](int64_t batch) {
             copy.run(memory->at<std::byte>(from), memory->at<std::byte>(port), batch);
           },
           {from, port});
}

Builder::Placement Builder::place(int64_t samples) const {
  std::vector<Lifetime> lifetimes;
  std::vector<size_t> placed;
  for (size_t i = 0; i < buffers_.size(); ++i) {
    if (!buffers_[i].is_port && buffers_[i].first >= 0) {
      placed.push_back(i);
      lifetimes.push_back({buffers_[i].sample_bytes * samples + XNN_EXTRA_BYTES,
                           buffers_[i].first,
                           buffers_[i].last});
    }
  }
  const ArenaPlan plan = plan_arena(lifetimes);
  Placement result{std::vector<int64_t>(buffers_.size(), -1), plan.bytes};
  for (size_t i = 0; i < placed.size(); ++i) {
    result.offsets[placed[i]] = plan.offsets[i];
  }
  return result;
}

void Builder::touch(size_t buffer) {
  const auto now = static_cast<int64_t>(steps_.size());
  Buffer& touched = buffers_[buffer];
  touched.first = touched.first < 0 ? now : touched.first;
  touched.last = now;
}

void Builder::convert(const Node& node, size_t from, size_t to, Form form) {
  const Conversion work = conversion(node, form);
  add_loop(form == Form::Native ? "to channels-last" : "to channels-first",
           [work, from, to, memory = memory_](int64_t batch) {
             work.run(memory->at<std::byte>(from), memory->at<std::byte>(to), batch);
           },
           {from, to});
}

}  // namespace coppice::runtime::xnnpack
