#include <algorithm>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "train/batch_tensors.h"
#include "train/mix.h"
#include "train/objective.h"
#include "train/objectives/difference.h"

namespace coppice::train {

namespace {

class Reconstruction final : public Objective {
 public:
  Reconstruction(const recipe::TrainOptions& options, const graph::Model& model)
      : output_(model.graph.outputs.front()),
        input_(reconstruction_target(model)),
        options_(options.task) {}

  std::string_view task() const override { return "reconstruction"; }

  std::vector<std::string> reads() const override { return {input_}; }

  at::Tensor loss(const Activations& values,
                  const LoadedBatch& /*loaded*/,
                  const Mixing& /*mixing*/,
                  Teacher* /*teacher*/) const override {
    return difference_loss(
        values.at(output_).flatten(1), values.at(input_).detach().flatten(1), options_);
  }

 private:
  std::string output_;
  std::string input_;
  recipe::TaskOptions options_;
};

bool prepares(const graph::Model& model, const graph::Node& node) {
  const bool elementwise = node.op == graph::Op::Cast || node.op == graph::Op::Sub ||
                           node.op == graph::Op::Div || node.op == graph::Op::Mul ||
                           node.op == graph::Op::Add;
  return elementwise && std::all_of(node.inputs.begin() + 1, node.inputs.end(), [&](const auto& i) {
           return model.is_weight(i);
         });
}

}  // namespace

std::unique_ptr<Objective> make_reconstruction(const recipe::TrainOptions& options,
                                               const graph::Model& model) {
  return std::make_unique<Reconstruction>(options, model);
}

std::string reconstruction_target(const graph::Model& model) {
  const auto& outputs = model.graph.outputs;
  if (std::find(outputs.begin() + 1, outputs.end(), "target") != outputs.end()) {
    return "target";
  }
  const auto inputs = model.graph.inputs();
  COPPICE_CHECK(inputs.size() == 1, "networks of one input are trained");
  const graph::Node* last = inputs[0];
  for (;;) {
    const auto next = model.graph.consumers(last->name);
    if (next.size() != 1 || next[0]->inputs[0] != last->name || !prepares(model, *next[0])) {
      return last->name;
    }
    last = next[0];
  }
}

std::vector<double> reconstruction_errors(Network& network,
                                          const data::Dataset& dataset,
                                          int64_t batch_size) {
  const at::NoGradGuard no_grad;
  const graph::Model model = network.to_model();
  const std::string input = reconstruction_target(model);
  const std::string& output = model.graph.outputs.front();
  std::vector<double> errors;
  data::Batch batch;
  for (int64_t first = 0; first < dataset.size(); first += batch_size) {
    std::vector<int64_t> indices(static_cast<size_t>(std::min(batch_size, dataset.size() - first)));
    std::iota(indices.begin(), indices.end(), first);
    dataset.read(indices, batch);
    const Activations values =
        network.forward(samples_of(batch, dataset.schema()), {.keep = {input}});
    const at::Tensor each = (values.at(output).flatten(1) - values.at(input).flatten(1))
                                .square()
                                .mean(1)
                                .cpu()
                                .contiguous();
    errors.insert(errors.end(), each.data_ptr<float>(), each.data_ptr<float>() + each.numel());
  }
  return errors;
}

}  // namespace coppice::train
