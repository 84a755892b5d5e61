#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/arena.h"
#include "runtime/model_index.h"
#include "runtime/xnnpack/form.h"
#include "runtime/xnnpack/operator.h"

namespace coppice::runtime::xnnpack {

/// Where the buffers of a program lie, by number: known once all of them are placed; the caller's
/// change from run to run.
struct Memory {
  std::vector<std::byte*> addresses;

  template <class T>
  T* at(size_t buffer) const {
    return reinterpret_cast<T*>(addresses[buffer]);
  }
};

/// Tells an operator batch and addresses. What it needs of memory it takes at the first call.
using Setup = std::function<xnn_status(xnn_operator_t made, size_t batch, pthreadpool_t threads)>;
using Loop = std::function<void(int64_t batch)>;

/// Runs one of XNNPACK's operators, or a loop of ours.
struct Step {
  std::string node;
  std::string work;
  Operator made;
  Setup setup;
  Loop loop;
};

/// A value in one or both forms.
struct Value {
  const graph::Node* node = nullptr;
  std::optional<size_t> plain;
  std::optional<size_t> native;
};

/// Collects the steps of a program and the lifetimes of its buffers, stage by stage.
class Builder {
 public:
  Builder(ModelIndex& index, const Memory& memory) : index_(&index), memory_(&memory) {}

  ModelIndex& index() { return *index_; }

  const Memory* memory() const { return memory_; }

  /// Names the steps that follow.
  void begin(const graph::Node& node) { current_ = node.name; }

  const graph::Node& node(const std::string& name) const { return *values_.at(name).node; }

  /// A buffer of the arena that holds the value in its native form, converted if need be.
  size_t native(const std::string& name);
  /// The same in the plain form; it may be the caller's memory, which operators must not keep.
  size_t plain(const std::string& name);
  /// In the form in which it lies; native if it lies in both.
  std::pair<size_t, Form> as_it_lies(const std::string& name) const;

  size_t new_buffer(int64_t sample_bytes);
  size_t new_buffer(const graph::Node& value);

  void define(const graph::Node& node, Form form, size_t buffer);
  /// The same bytes under another name and shape, in every form in which they mean the same.
  void alias(const graph::Node& node, const std::string& source);

  void add_operator(std::string work,
                    Operator made,
                    Setup setup,
                    std::initializer_list<size_t> buffers);
  void add_loop(std::string work, Loop loop, const std::vector<size_t>& buffers);
  /// Runs a node by its reference kernel.
  void add_reference(const graph::Node& node);

  size_t add_port();  ///< a buffer of the caller's
  void add_input(const graph::Node& node);
  void add_output(const std::string& name, size_t port);

  /// Places every buffer for this many samples.
  struct Placement {
    std::vector<int64_t> offsets;  ///< in the arena; -1 for a port
    int64_t bytes = 0;
  };

  Placement place(int64_t samples) const;

  std::vector<Step> take_steps() { return std::move(steps_); }

 private:
  struct Buffer {
    int64_t sample_bytes = 0;
    int64_t first = -1;
    int64_t last = -1;
    bool is_port = false;
  };

  void touch(size_t buffer);
  void convert(const graph::Node& node, size_t from, size_t to, Form form);

  ModelIndex* index_;
  const Memory* memory_;
  std::string current_;
  std::map<std::string, Value> values_;
  std::vector<Buffer> buffers_;
  std::vector<Step> steps_;
};

}  // namespace coppice::runtime::xnnpack
