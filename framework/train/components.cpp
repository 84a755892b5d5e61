#include "train/components.h"

#include <algorithm>

#include "core/error.h"
#include "report/metrics_log.h"

namespace coppice::train {

Components built_in_components() {
  Components components;
  components.strategies = built_in_strategies();
  auto& kinds = components.job_kinds;
  kinds.add("train", run_train_job, "train a network, or distil one from a teacher");
  kinds.add("train_family",
            run_train_family_job,
            "train classifiers of several sizes in one run, which teach each other");
  kinds.add("prune", run_prune_job, "remove whole channels until a budget is met");
  kinds.add("quantise", run_quantise_job, "int8 weights and activations, calibrated on samples");
  kinds.add("low_rank", run_low_rank_job, "layers factored into smaller ones");
  kinds.add("sparsify", run_sparsify_job, "zeros in place of the smallest weights");
  kinds.add("share", run_share_job, "few different weights a layer, by k-means");
  kinds.add("encode", run_encode_job, "a model as few bytes to transfer");
  kinds.add(
      "torchscript", run_torchscript_job, "a model as TorchScript, for Python's torch.jit.load");
  kinds.add("evaluate", run_evaluate_job, "accuracy of a model as the device engine runs it");
  kinds.add(
      "class_bias", run_class_bias_job, "move the biases of classes that training has not seen");
  kinds.add("predict", run_predict_job, "the classes that training's own network gives samples");
  kinds.add("eager", run_eager_job, "time a model run op by op in libtorch");
  kinds.add("sensitivity", run_sensitivity_job, "accuracy against the share of each group cut");
  return components;
}

const std::filesystem::path& JobContext::input(const std::string& role) const {
  const auto found = spec.inputs.find(role);
  if (found == spec.inputs.end()) {
    throw core::Error(core::ErrorKind::Config,
                      "job '" + spec.name + "' (" + spec.kind + ") needs the input '" + role + "'");
  }
  return found->second;
}

void JobContext::allow_inputs(const std::vector<std::string>& roles) const {
  for (const auto& [role, file] : spec.inputs) {
    if (std::find(roles.begin(), roles.end(), role) == roles.end()) {
      throw core::Error(core::ErrorKind::Config,
                        "job '" + spec.name + "' (" + spec.kind + ") takes no input '" + role +
                            "'" + core::did_you_mean(role, roles));
    }
  }
}

void JobContext::write_summary(const std::map<std::string, double>& figures,
                               std::map<std::string, std::string> notes) const {
  notes["kind"] = spec.kind;
  notes["name"] = spec.name;
  report::write_summary(folder / "summary.json", figures, notes);
}

}  // namespace coppice::train
