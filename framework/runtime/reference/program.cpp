#include "runtime/program.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "core/error.h"
#include "runtime/arena.h"
#include "runtime/quantised.h"
#include "runtime/reference/kernel.h"
#include "runtime/reference/quantised_layer.h"

namespace coppice::runtime::reference {

namespace {

using graph::Model;
using graph::Node;
using graph::Tensor;

/// One kernel call. Operands point into the program's values, whose batch and memory change from
/// run to run.
struct Step {
  const Node* node = nullptr;
  std::optional<QuantisedLayer> fused;
  std::vector<const View*> inputs;
  View* output = nullptr;
};

/// Runs node after node on dense memory: plain, and right for every op, dtype and zero point.
class ReferenceProgram final : public Program {
 public:
  ReferenceProgram(const Model& model, int64_t max_batch)
      : model_(keep_quantised(model)), index_(model_) {
    plan_steps();
    plan_memory(max_batch);
    run_once_on_zeros();
  }

  void run(std::span<const std::byte* const> inputs,
           std::span<std::byte* const> outputs,
           int64_t batch) override {
    run_steps(inputs, outputs, batch, [](const Step& step) { run_step(step); });
  }

  std::vector<StepTime> run_profiled(std::span<const std::byte* const> inputs,
                                     std::span<std::byte* const> outputs,
                                     int64_t batch) override {
    using Clock = std::chrono::steady_clock;
    std::vector<StepTime> times;
    run_steps(inputs, outputs, batch, [&](const Step& step) {
      const auto begin = Clock::now();
      run_step(step);
      const std::chrono::duration<double, std::micro> time = Clock::now() - begin;
      const std::string_view work =
          step.fused ? "quantised layer" : graph::to_string(step.node->op);
      times.push_back({step.node->name, std::string(work), time.count()});
    });
    return times;
  }

  int64_t arena_bytes() const override { return arena_.bytes_size(); }

 private:
  static void run_step(const Step& step) {
    if (step.fused) {
      const View* residual = step.inputs.size() > 1 ? step.inputs[1] : nullptr;
      run_quantised_layer(*step.fused, *step.inputs[0], residual, *step.output);
    } else {
      run_node(*step.node, step.inputs, *step.output);
    }
  }

  template <class RunStep>
  void run_steps(std::span<const std::byte* const> inputs,
                 std::span<std::byte* const> outputs,
                 int64_t batch,
                 const RunStep& run_one) {
    for (View* value : batched_) {
      value->shape[0] = batch;
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      inputs_[i]->data =
          const_cast<std::byte*>(inputs[i]);  // NOLINT: kernels read their inputs only
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!is_input(outputs_[i])) {
        outputs_[i]->data = outputs[i];
      }
    }
    for (const Step& step : steps_) {
      run_one(step);
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (is_input(outputs_[i])) {
        std::memcpy(outputs[i], outputs_[i]->data, static_cast<size_t>(outputs_[i]->bytes()));
      }
    }
  }

  bool is_input(const View* value) const {
    return std::find(inputs_.begin(), inputs_.end(), value) != inputs_.end();
  }

  View* value(const std::string& name) {
    const auto [it, is_new] = values_.try_emplace(name);
    if (is_new && index_.is_constant(name)) {
      it->second = view_of(index_.constant(name));
    } else if (is_new) {
      const Node& node = *index_.node(name);
      it->second = {node.dtype, node.shape, nullptr};
      batched_.push_back(&it->second);
    }
    return &it->second;
  }

  /// From the outputs backwards, so that fused and constant nodes get no step.
  void plan_steps() {
    const std::vector<std::string>& outputs = model_.graph.outputs;
    std::set<std::string> needed(outputs.begin(), outputs.end());
    for (size_t i = model_.graph.nodes.size(); i-- > 0;) {
      const Node* node = &model_.graph.nodes[i];
      if (!needed.contains(node->name) || index_.is_constant(node->name) ||
          node->op == graph::Op::Input) {
        continue;
      }
      Step step{node, match_quantised_layer(index_, *node), {}, value(node->name)};
      std::vector<std::string> names = node->inputs;
      if (step.fused) {
        names = {step.fused->input};
        if (!step.fused->residual.empty()) {
          names.push_back(step.fused->residual);
        }
      }
      for (const std::string& name : names) {
        step.inputs.push_back(value(name));
        needed.insert(name);
      }
      steps_.push_back(std::move(step));
    }
    std::reverse(steps_.begin(), steps_.end());
    for (const Node* node : model_.graph.inputs()) {
      inputs_.push_back(value(node->name));
    }
    for (const std::string& name : outputs) {
      outputs_.push_back(value(name));
    }
  }

  void plan_memory(int64_t max_batch) {
    for (View* view : batched_) {
      view->shape[0] = max_batch;
    }
    std::map<const View*, size_t> slots;
    std::vector<View*> planned;
    std::vector<Lifetime> lifetimes;
    for (size_t i = 0; i < steps_.size(); ++i) {
      const auto now = static_cast<int64_t>(i);
      for (const View* input : steps_[i].inputs) {
        if (const auto slot = slots.find(input); slot != slots.end()) {
          lifetimes[slot->second].last = now;
        }
      }
      View* output = steps_[i].output;
      if (std::find(outputs_.begin(), outputs_.end(), output) == outputs_.end()) {
        slots.emplace(output, planned.size());
        planned.push_back(output);
        lifetimes.push_back({output->bytes(), now, now});
      }
    }
    const ArenaPlan plan = plan_arena(lifetimes);
    arena_ = Tensor(graph::DType::U8, {plan.bytes});
    for (size_t i = 0; i < planned.size(); ++i) {
      planned[i]->data = arena_.bytes() + plan.offsets[i];
    }
  }

  /// So that a dtype that a kernel does not take shows at build.
  void run_once_on_zeros() {
    const auto zeros = [](const std::vector<View*>& views, std::vector<Tensor>& memory) {
      std::vector<std::byte*> pointers;
      for (const View* view : views) {
        graph::Shape shape = view->shape;
        shape[0] = 1;
        memory.emplace_back(view->dtype, shape);
        pointers.push_back(memory.back().bytes());
      }
      return pointers;
    };
    std::vector<Tensor> memory;
    const std::vector<std::byte*> inputs = zeros(inputs_, memory);
    const std::vector<std::byte*> outputs = zeros(outputs_, memory);
    run({inputs.data(), inputs.size()}, outputs, 1);
  }

  Model model_;
  ModelIndex index_;
  std::map<std::string, View> values_;
  std::vector<View*> batched_;
  std::vector<View*> inputs_;
  std::vector<View*> outputs_;
  std::vector<Step> steps_;
  Tensor arena_;
};

}  // namespace

std::unique_ptr<Program> compile(const Model& model, const EngineOptions& options) {
  return std::make_unique<ReferenceProgram>(model, options.max_batch);
}

}  // namespace coppice::runtime::reference
