#include "train/importance.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include "compress/group_taps.h"
#include "core/error.h"
#include "train/batch_tensors.h"
#include "train/check_model.h"
#include "train/loader.h"
#include "train/mix.h"
#include "train/network.h"
#include "train/objective.h"

namespace coppice::train {

namespace {

using compress::GroupTaps;
using compress::Tap;

/// Evenly spaced, with what the loss needs to know of them.
std::vector<int64_t> choose_samples(const data::Dataset& dataset,
                                    const compress::ImportanceOptions& options,
                                    bool labelled) {
  std::vector<int64_t> known;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (!labelled || dataset.label(i) >= 0) {
      known.push_back(i);
    }
  }
  if (known.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      labelled ? "the data to judge channels by has no labels"
                               : "the data to judge channels by has no samples");
  }
  const auto all = std::ssize(known);
  const int64_t count = std::min<int64_t>(options.samples, all);
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < count; ++i) {
    chosen.push_back(known[static_cast<size_t>(i * all / count)]);
  }
  return chosen;
}

/// [n, positions of the tap] to [n, channels of the group]: sums over positions.
at::Tensor by_channel(const at::Tensor& positions, const Tap& tap, int64_t channels) {
  std::vector<int64_t> own;
  std::vector<int64_t> to;
  for (size_t p = 0; p < tap.channels.size(); ++p) {
    if (tap.channels[p] >= 0) {
      own.push_back(static_cast<int64_t>(p));
      to.push_back(tap.channels[p]);
    }
  }
  const at::Tensor sums = at::zeros({positions.size(0), channels}, positions.options());
  return sums.index_add(1, positions_of(to), positions.index_select(1, positions_of(own)));
}

/// Values of every position, over what follows the channel axis.
at::Tensor summed(const at::Tensor& values) {
  return values.dim() > 2 ? values.flatten(2).sum(2) : values;
}

void add_to(std::vector<double>& sums, const at::Tensor& values) {
  const at::Tensor plain = values.to(at::kDouble).contiguous();
  sums.resize(static_cast<size_t>(plain.numel()), 0);
  for (size_t c = 0; c < sums.size(); ++c) {
    sums[c] += plain.data_ptr<double>()[c];
  }
}

/// Of one group, summed over the samples so far.
struct GroupSums {
  compress::ChannelStatistics sums;
  int64_t samples = 0;

  void add_activations(const GroupTaps& taps, const Activations& values) {
    for (const Tap& tap : taps.read) {
      const at::Tensor value = values.at(tap.node).detach();
      const at::Tensor places = at::zeros({1, value.size(1)}, value.options()) +
                                static_cast<double>(value.numel() / value.size(0) / value.size(1));
      const at::Tensor size = by_channel(places, tap, taps.channels).sum(0);
      const auto mean = [&](const at::Tensor& of) {
        return by_channel(summed(of), tap, taps.channels).sum(0) /
               (size * static_cast<double>(taps.read.size()));
      };
      add_to(sums.mean_activation, mean(value.abs()));
      add_to(sums.nonzero_share, mean(value.ne(0).to(value.scalar_type())));
    }
  }

  void add_gates(const GroupTaps& taps, const Activations& values) {
    at::Tensor gates;  // [n, channels]
    for (const Tap& tap : taps.made) {
      const at::Tensor& value = values.at(tap.node);
      const at::Tensor gradient = value.grad();
      if (!gradient.defined()) {
        continue;  // the loss does not depend on it
      }
      const at::Tensor own = by_channel(summed(value.detach() * gradient), tap, taps.channels);
      gates = gates.defined() ? gates + own : own;
    }
    if (!gates.defined()) {
      gates = at::zeros({1, taps.channels});
    }
    add_to(sums.gate_gradient, gates.abs().sum(0));
    add_to(sums.gate_fisher, gates.square().sum(0));
  }

  /// Means over the samples.
  compress::ChannelStatistics finish(const std::string& group) const {
    compress::ChannelStatistics result = sums;
    for (auto* values : {&result.mean_activation,
                         &result.nonzero_share,
                         &result.gate_gradient,
                         &result.gate_fisher}) {
      for (double& value : *values) {
        value /= static_cast<double>(samples);
        if (!std::isfinite(value)) {
          throw core::Error(core::ErrorKind::Numeric,
                            "the statistics of channel group '" + group + "' are not finite");
        }
      }
    }
    return result;
  }
};

std::vector<std::string> nodes_of(const std::vector<GroupTaps>& groups, bool gradients) {
  std::set<std::string> nodes;
  for (const GroupTaps& group : groups) {
    for (const Tap& tap : group.read) {
      nodes.insert(tap.node);
    }
    for (const Tap& tap : group.made) {
      if (gradients) {
        nodes.insert(tap.node);
      }
    }
  }
  return {nodes.begin(), nodes.end()};
}

}  // namespace

compress::Statistics measure_importance(const graph::Model& model,
                                        const data::Dataset& dataset,
                                        compress::CriterionNeeds needs,
                                        const compress::ImportanceOptions& options) {
  check_model_fits(model, dataset.schema(), "model");
  const bool gradients = needs == compress::CriterionNeeds::Gradients;
  recipe::TrainOptions training;
  training.task.name = model.metadata.task;
  const auto objective = make_objective(training, dataset.schema(), model);
  const std::vector<GroupTaps> groups = compress::find_taps(model);
  const std::vector<int64_t> chosen =
      choose_samples(dataset, options, gradients && objective->task() == "classification");
  ForwardOptions forward{.keep = nodes_of(groups, gradients)};
  const auto reads = objective->reads();
  forward.keep.insert(forward.keep.end(), reads.begin(), reads.end());

  Network network(model);
  std::vector<GroupSums> sums(groups.size());
  const at::AutoGradMode mode(gradients);
  for (size_t first = 0; first < chosen.size();) {
    const size_t count = std::min(static_cast<size_t>(options.batch_size), chosen.size() - first);
    LoadedBatch loaded;
    loaded.train_positions.assign(chosen.begin() + static_cast<std::ptrdiff_t>(first),
                                  chosen.begin() + static_cast<std::ptrdiff_t>(first + count));
    dataset.read(loaded.train_positions, loaded.batch);
    loaded.joint_size = loaded.batch.size;
    first += count;
    const Activations values = network.forward(samples_of(loaded.batch, dataset.schema()), forward);
    if (gradients) {
      for (const auto& [node, value] : values) {
        if (value.requires_grad()) {
          value.retain_grad();
        }
      }
      // Samples do not meet in inference: the gradient of the sum is that of each one's own loss.
      (objective->loss(values, loaded, {}, nullptr) * loaded.batch.size).backward();
      network.clear_gradients();
    }
    const at::NoGradGuard no_grad;
    for (size_t g = 0; g < groups.size(); ++g) {
      sums[g].samples += loaded.batch.size;
      sums[g].add_activations(groups[g], values);
      if (gradients) {
        sums[g].add_gates(groups[g], values);
      }
    }
  }
  compress::Statistics statistics;
  for (size_t g = 0; g < groups.size(); ++g) {
    statistics[groups[g].group] = sums[g].finish(groups[g].group);
  }
  return statistics;
}

}  // namespace coppice::train
