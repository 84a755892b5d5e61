#include "runtime/program.h"

#include <algorithm>
#include <chrono>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "runtime/quantised.h"
#include "runtime/xnnpack/stage.h"

namespace coppice::runtime::xnnpack {

namespace {

using core::Error;
using core::ErrorKind;
using graph::Model;
using graph::Node;
using graph::Tensor;

constexpr int64_t kMostSamples = 64;
constexpr int64_t kCacheBytes = 1 << 20;  // of the second level that activations may fill

std::optional<Stage> match_stage(ModelIndex& index, const Node& node) {
  for (const auto pattern : {&match_quantised,
                             &match_table,
                             &match_byte_sum,
                             &match_byte_mean,
                             &match_quantise_floats,
                             &match_product,
                             &match_deconvolution,
                             &match_arithmetic,
                             &match_unary,
                             &match_pool,
                             &match_move}) {
    if (std::optional<Stage> stage = pattern(index, node)) {
      return stage;
    }
  }
  return std::nullopt;
}

/// From the outputs backwards: what a pattern absorbed is not asked for and gets no stage.
std::vector<Stage> find_stages(ModelIndex& index) {
  const graph::Graph& graph = index.model().graph;
  std::set<std::string> needed(graph.outputs.begin(), graph.outputs.end());
  std::vector<Stage> stages;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    if (node.op == graph::Op::Input || !needed.contains(node.name)) {
      continue;
    }
    Stage stage = match_stage(index, node).value_or(Stage{&node, {}, {}});
    if (!stage.build) {
      std::copy_if(node.inputs.begin(),
                   node.inputs.end(),
                   std::back_inserter(stage.inputs),
                   [&](const std::string& name) { return !index.is_constant(name); });
    }
    needed.insert(stage.inputs.begin(), stage.inputs.end());
    stages.push_back(std::move(stage));
  }
  std::reverse(stages.begin(), stages.end());
  return stages;
}

/// Runs a batch in parts whose activations stay in the cache.
class XnnpackProgram final : public Program {
 public:
  XnnpackProgram(const Model& model, const EngineOptions& options)
      : model_(keep_quantised(model)),
        index_(model_),
        threads_(make_threads(static_cast<size_t>(options.threads))) {
    Builder builder(index_, memory_);
    for (const Node* node : model_.graph.inputs()) {
      builder.add_input(*node);
      input_bytes_.push_back(sample_size(node->shape) * graph::size_bytes(node->dtype));
    }
    for (const Stage& stage : find_stages(index_)) {
      build(builder, stage);
    }
    for (const std::string& name : model_.graph.outputs) {
      const Node& node = builder.node(name);
      builder.begin(node);
      output_ports_.push_back(builder.add_port());
      builder.add_output(name, output_ports_.back());
      output_bytes_.push_back(sample_size(node.shape) * graph::size_bytes(node.dtype));
    }
    place(builder, options);
    steps_ = builder.take_steps();
    set_up(part_);
    warm_up();
  }

  void run(std::span<const std::byte* const> inputs,
           std::span<std::byte* const> outputs,
           int64_t batch) override {
    run_parts(inputs, outputs, batch, [this](const Step& step, int64_t samples) {
      run_step(step, samples);
    });
  }

  /// A batch that runs in parts names each step once for each part.
  std::vector<StepTime> run_profiled(std::span<const std::byte* const> inputs,
                                     std::span<std::byte* const> outputs,
                                     int64_t batch) override {
    using Clock = std::chrono::steady_clock;
    std::vector<StepTime> times;
    run_parts(inputs, outputs, batch, [&](const Step& step, int64_t samples) {
      const auto begin = Clock::now();
      run_step(step, samples);
      const std::chrono::duration<double, std::micro> time = Clock::now() - begin;
      times.push_back({step.node, step.work, time.count()});
    });
    return times;
  }

  int64_t arena_bytes() const override { return arena_.bytes_size(); }

 private:
  static void build(Builder& builder, const Stage& stage) {
    builder.begin(*stage.output);
    if (stage.build && stage.build(builder)) {
      return;
    }
    for (const std::string& name : stage.output->inputs) {
      const bool asked = builder.index().is_constant(name) ||
                         std::ranges::find(stage.inputs, name) != stage.inputs.end();
      if (!asked) {
        throw Error(ErrorKind::Unsupported,
                    fmt::format("node '{}' ({}): XNNPACK takes no such parameters; backend "
                                "'reference' runs it",
                                stage.output->name,
                                graph::to_string(stage.output->op)));
      }
    }
    builder.add_reference(*stage.output);
  }

  void place(const Builder& builder, const EngineOptions& options) {
    const int64_t one = std::max<int64_t>(builder.place(1).bytes, 1);
    part_ = std::clamp<int64_t>(kCacheBytes * options.threads / one, 1, kMostSamples);
    part_ = std::min(part_, options.max_batch);
    const Builder::Placement placement = builder.place(part_);
    arena_ = Tensor(graph::DType::U8, {placement.bytes + XNN_EXTRA_BYTES});
    for (const int64_t offset : placement.offsets) {
      memory_.addresses.push_back(offset < 0 ? nullptr : arena_.bytes() + offset);
    }
  }

  void set_up(int64_t samples) {
    for (const Step& step : steps_) {
      if (step.setup) {
        const auto batch = static_cast<size_t>(samples);
        const xnn_status status = step.setup(step.made.get(), batch, threads_.get());
        COPPICE_CHECK(status == xnn_status_success, "XNNPACK takes any batch it was created for");
      }
    }
    set_up_for_ = samples;
  }

  void run_step(const Step& step, int64_t samples) const {
    if (step.made) {
      const xnn_status status = xnn_run_operator(step.made.get(), threads_.get());
      COPPICE_CHECK(status == xnn_status_success, "an operator that is set up runs");
    } else {
      step.loop(samples);
    }
  }

  template <class RunStep>
  void run_parts(std::span<const std::byte* const> inputs,
                 std::span<std::byte* const> outputs,
                 int64_t batch,
                 const RunStep& run_one) {
    for (int64_t done = 0; done < batch;) {
      const int64_t samples = std::min(part_, batch - done);
      if (samples != set_up_for_) {
        set_up(samples);
      }
      for (size_t i = 0; i < inputs.size(); ++i) {
        memory_.addresses[i] =
            const_cast<std::byte*>(inputs[i]) + done * input_bytes_[i];  // NOLINT: only read
      }
      for (size_t i = 0; i < outputs.size(); ++i) {
        memory_.addresses[output_ports_[i]] = outputs[i] + done * output_bytes_[i];
      }
      for (const Step& step : steps_) {
        run_one(step, samples);
      }
      done += samples;
    }
  }

  /// Shows a dtype that a reference kernel doesn't take.
  void warm_up() {
    std::vector<Tensor> memory;
    const auto zeros = [&](const std::vector<int64_t>& sizes) {
      std::vector<std::byte*> pointers;
      for (const int64_t bytes : sizes) {
        memory.emplace_back(graph::DType::U8, graph::Shape{bytes});
        pointers.push_back(memory.back().bytes());
      }
      return pointers;
    };
    const std::vector<std::byte*> inputs = zeros(input_bytes_);
    const std::vector<std::byte*> outputs = zeros(output_bytes_);
    run({inputs.data(), inputs.size()}, outputs, 1);
  }

  Model model_;
  ModelIndex index_;
  Threads threads_;
  Memory memory_;
  Tensor arena_;
  std::vector<Step> steps_;
  std::vector<int64_t> input_bytes_;
  std::vector<int64_t> output_bytes_;
  std::vector<size_t> output_ports_;  ///< those of the inputs are 0, 1, …
  int64_t part_ = 1;                  ///< most samples that run at once
  int64_t set_up_for_ = 0;
};

}  // namespace

std::unique_ptr<Program> compile(const Model& model, const EngineOptions& options) {
  initialise();
  return std::make_unique<XnnpackProgram>(model, options);
}

}  // namespace coppice::runtime::xnnpack
