#include "runtime/program.h"

#include <algorithm>
#include <set>

#include "runtime/onednn/plan_builder.h"
#include "runtime/onednn/threads.h"
#include "runtime/quantised.h"

namespace coppice::runtime::onednn {

namespace {

using graph::Model;
using graph::Tensor;

constexpr int64_t kLargestPlan = 64;
constexpr int64_t kMiddlePlan = 8;
constexpr int64_t kCacheBytes = 1 << 20;  // of a core's second level that activations may fill

/// Batch sizes that get a plan besides 1: the largest whose activations stay in the cache, and a
/// smaller one for the rest. More samples at once only make them travel through memory.
std::set<int64_t> plan_batches(int64_t max_batch, int64_t threads, int64_t bytes_per_sample) {
  const int64_t fitting = kCacheBytes * threads / std::max<int64_t>(bytes_per_sample, 1);
  const int64_t largest =
      std::clamp(fitting / kMiddlePlan * kMiddlePlan, kMiddlePlan, kLargestPlan);
  return {std::min(kMiddlePlan, max_batch), std::min(largest, max_batch)};
}

int64_t sample_bytes(const graph::Node& node) {
  int64_t bytes = graph::size_bytes(node.dtype);
  for (size_t i = 1; i < node.shape.size(); ++i) {
    bytes *= node.shape[i];
  }
  return bytes;
}

/// Runs a batch as a sum of planned batch sizes.
class OnednnProgram final : public Program {
 public:
  OnednnProgram(const Model& model, const EngineOptions& options)
      : threads_(static_cast<int>(options.threads)),
        engine_(dnnl::engine::kind::cpu, 0),
        weights_(engine_) {
    const Model prepared = keep_quantised(model);
    stages_ = lower(prepared);
    const ThreadScope scope(threads_);
    const auto add_plan = [&](int64_t batch) {
      plans_.insert(plans_.begin(),
                    PlanBuilder(prepared, stages_, batch, engine_, weights_).build());
    };
    add_plan(1);
    const int64_t bytes_per_sample = plans_[0].arena_bytes();
    for (const int64_t batch : plan_batches(options.max_batch, options.threads, bytes_per_sample)) {
      if (batch > 1) {
        add_plan(batch);
      }
    }
    int64_t arena_bytes = 0;
    for (const Plan& plan : plans_) {
      arena_bytes = std::max(arena_bytes, plan.arena_bytes());
    }
    arena_ = Tensor(graph::DType::U8, {arena_bytes});
    for (Plan& plan : plans_) {
      plan.bind(arena_.bytes());
    }
    for (const graph::Node* node : prepared.graph.inputs()) {
      input_bytes_.push_back(sample_bytes(*node));
    }
    for (const std::string& name : prepared.graph.outputs) {
      output_bytes_.push_back(sample_bytes(prepared.graph.at(name)));
    }
    inputs_.resize(input_bytes_.size());
    outputs_.resize(output_bytes_.size());
    warm_up();
  }

  void run(std::span<const std::byte* const> inputs,
           std::span<std::byte* const> outputs,
           int64_t batch) override {
    run_parts(inputs, outputs, batch, [&](Plan& plan) { plan.run(inputs_, outputs_); });
  }

  /// A batch that runs in parts names each step once for each part.
  std::vector<StepTime> run_profiled(std::span<const std::byte* const> inputs,
                                     std::span<std::byte* const> outputs,
                                     int64_t batch) override {
    std::vector<StepTime> times;
    run_parts(
        inputs, outputs, batch, [&](Plan& plan) { plan.run_profiled(inputs_, outputs_, times); });
    return times;
  }

  int64_t arena_bytes() const override { return arena_.bytes_size(); }

 private:
  template <class RunPlan>
  void run_parts(std::span<const std::byte* const> inputs,
                 std::span<std::byte* const> outputs,
                 int64_t batch,
                 const RunPlan& run_plan) {
    const ThreadScope scope(threads_);
    std::copy(inputs.begin(), inputs.end(), inputs_.begin());
    std::copy(outputs.begin(), outputs.end(), outputs_.begin());
    for (Plan& plan : plans_) {
      for (; batch >= plan.batch(); batch -= plan.batch()) {
        run_plan(plan);
        advance(plan.batch());
      }
    }
  }

  void advance(int64_t samples) {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      inputs_[i] += input_bytes_[i] * samples;
    }
    for (size_t i = 0; i < outputs_.size(); ++i) {
      outputs_[i] += output_bytes_[i] * samples;
    }
  }

  /// The first run of a primitive may set up threads and touches fresh memory.
  void warm_up() {
    std::vector<Tensor> memory;
    const auto zeros = [&](const std::vector<int64_t>& sizes) {
      std::vector<std::byte*> pointers;
      for (const int64_t bytes : sizes) {
        memory.emplace_back(graph::DType::U8, graph::Shape{bytes * plans_.front().batch()});
        pointers.push_back(memory.back().bytes());
      }
      return pointers;
    };
    const std::vector<std::byte*> inputs = zeros(input_bytes_);
    const std::vector<std::byte*> outputs = zeros(output_bytes_);
    for (const Plan& plan : plans_) {
      run({inputs.data(), inputs.size()}, outputs, plan.batch());
    }
  }

  int threads_;
  dnnl::engine engine_;
  std::vector<Stage> stages_;
  PackedWeights weights_;
  std::vector<Plan> plans_;  ///< largest batch first
  Tensor arena_;
  std::vector<int64_t> input_bytes_;
  std::vector<int64_t> output_bytes_;
  std::vector<const std::byte*> inputs_;
  std::vector<std::byte*> outputs_;
};

}  // namespace

std::unique_ptr<Program> compile(const Model& model, const EngineOptions& options) {
  return std::make_unique<OnednnProgram>(model, options);
}

}  // namespace coppice::runtime::onednn
