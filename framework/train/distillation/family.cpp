#include "train/distillation/family.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "train/batch_tensors.h"
#include "train/distillation/distillation.h"
#include "train/loader.h"
#include "train/loss.h"

namespace coppice::train {

namespace {

const graph::Node& only_input(const graph::Model& model) {
  const auto inputs = model.graph.inputs();
  if (inputs.size() != 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "a member of a family has " + std::to_string(inputs.size()) + " inputs");
  }
  return *inputs.front();
}

class Family final : public Objective {
 public:
  Family(const recipe::TrainFamilyJob& job, std::vector<std::string> outputs)
      : outputs_(std::move(outputs)),
        each_other_(job.learn_from == "each_other"),
        smoothing_(job.train.label_smoothing),
        alpha_(job.train.distil.alpha),
        distillation_(job.train.distil) {}

  std::string_view task() const override { return "classification"; }

  std::vector<std::string> reads() const override { return {outputs_.begin() + 1, outputs_.end()}; }

  at::Tensor loss(const Activations& values,
                  const LoadedBatch& loaded,
                  const Mixing& mixing,
                  Teacher* /*teacher*/) const override {
    const at::Tensor labels = labels_of(loaded.batch).to(values.at(outputs_.front()).device());
    at::Tensor total;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const at::Tensor own = member_loss(i, values, labels, mixing);
      total = total.defined() ? total + own : own;
    }
    return total;
  }

  double correct(const at::Tensor& output, const data::Batch& batch) const override {
    const at::NoGradGuard no_grad;
    return static_cast<double>(
        output.argmax(1).eq(labels_of(batch).to(output.device())).sum().item<int64_t>());
  }

 private:
  at::Tensor member_loss(size_t member,
                         const Activations& values,
                         const at::Tensor& labels,
                         const Mixing& mixing) const {
    const at::Tensor& logits = values.at(outputs_[member]);
    const at::Tensor of_labels = mixed_cross_entropy(logits, labels, mixing, smoothing_);
    if (!each_other_ && member == 0) {
      return of_labels;
    }
    const Student student{logits, values, labels, mixing};
    at::Tensor targets;
    const size_t teachers = each_other_ ? outputs_.size() : 1;
    for (size_t other = 0; other < teachers; ++other) {
      if (other != member) {
        const at::Tensor term =
            distillation_.target_loss(student, {{values.at(outputs_[other]).detach(), {}}});
        targets = targets.defined() ? targets + term : term;
      }
    }
    const auto count = static_cast<double>(each_other_ ? outputs_.size() - 1 : 1);
    return (1 - alpha_) * of_labels + alpha_ / count * targets;
  }

  std::vector<std::string> outputs_;
  bool each_other_;
  double smoothing_;
  double alpha_;
  Distillation distillation_;
};

}  // namespace

graph::Model join_members(const NamedModels& members) {
  graph::Model joint;
  joint.metadata = members.front().second.metadata;
  const graph::Node& input = only_input(members.front().second);
  joint.graph.nodes.push_back(input);
  for (const auto& [member, model] : members) {
    const graph::Node& theirs = only_input(model);
    if (theirs.dtype != input.dtype || theirs.shape != input.shape) {
      throw core::Error(
          core::ErrorKind::InvalidArgument,
          "'" + member + "' takes another input than '" + members.front().first + "'");
    }
    for (graph::Node node : model.graph.nodes) {
      if (node.op == graph::Op::Input) {
        continue;
      }
      node.name = member + "/" + node.name;
      for (std::string& source : node.inputs) {
        source = source == theirs.name ? input.name : member + "/" + source;
      }
      joint.graph.nodes.push_back(std::move(node));
    }
    for (const auto& [name, tensor] : model.weights) {
      joint.weights[member + "/" + name] = tensor;
    }
    joint.graph.outputs.push_back(member + "/" + model.graph.outputs.front());
  }
  graph::infer_shapes(joint);
  return joint;
}

graph::Model take_member(const graph::Model& joint, const std::string& member) {
  const std::string prefix = member + "/";
  const auto without = [&](const std::string& name) {
    return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  };
  graph::Model model;
  model.metadata = joint.metadata;
  for (graph::Node node : joint.graph.nodes) {
    if (node.op != graph::Op::Input && !node.name.starts_with(prefix)) {
      continue;
    }
    node.name = without(node.name);
    for (std::string& source : node.inputs) {
      source = without(source);
    }
    model.graph.nodes.push_back(std::move(node));
  }
  for (const auto& [name, tensor] : joint.weights) {
    if (name.starts_with(prefix)) {
      model.weights[without(name)] = tensor;
    }
  }
  for (const std::string& output : joint.graph.outputs) {
    if (output.starts_with(prefix)) {
      model.graph.outputs.push_back(without(output));
    }
  }
  graph::infer_shapes(model);
  return model;
}

std::unique_ptr<Objective> make_family_objective(const recipe::TrainFamilyJob& job,
                                                 const graph::Graph& joint) {
  return std::make_unique<Family>(job, joint.outputs);
}

}  // namespace coppice::train
