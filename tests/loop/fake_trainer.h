#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "graph/graph.h"
#include "jobs/executor.h"

namespace coppice::loop {

/// Stands in for coppice-train. "train" leaves the hidden layers as they were drawn and makes the
/// last one a nearest-class-mean classifier of what they compute, and "train_family" each member;
/// "prune" and "quantise" are the real ones, "evaluate" tells the accuracy.
class FakeTrainer final : public jobs::Executor {
 public:
  /// Called before every job, and with every model before it is written.
  std::function<void(const jobs::JobSpec&)> on_start = [](const jobs::JobSpec&) {
  };
  std::function<void(const jobs::JobSpec&, graph::Model&)> on_model = [](const jobs::JobSpec&,
                                                                         graph::Model&) {
  };

  void run(const jobs::JobSpec& spec,
           const std::filesystem::path& folder,
           const std::function<void(const jobs::JobProgress&)>& on_progress) override;

  std::string trainer_hash() const override { return "fake trainer"; }

  const std::vector<std::string>& started() const { return started_; }

 private:
  std::vector<std::string> started_;  // names of jobs
};

/// Sets the model's last layer from the labelled samples of a data set.
void fit_head(graph::Model& model, const data::Dataset& dataset);

/// A small network for 8x8 images whose last layer is fitted to `dataset`.
graph::Model fitted_network(const data::Dataset& dataset, uint64_t seed);

/// Makes the model mistake every class for the next one.
void confuse(graph::Model& model);

}  // namespace coppice::loop
