#include "train/teacher.h"

#include <algorithm>
#include <numeric>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include "core/error.h"
#include "graph/pass.h"
#include "train/batch_tensors.h"
#include "train/check_model.h"
#include "train/loader.h"
#include "train/network.h"

namespace coppice::train {

namespace {

at::Tensor rows_of(const at::Tensor& logits, const std::vector<int64_t>& positions) {
  return logits.index_select(0, positions_of(positions).to(logits.device()));
}

}  // namespace

struct Teacher::State {
  Network network;
  data::Schema schema;
  bool precomputed = false;
  at::Tensor train_logits;
  at::Tensor replay_logits;

  at::Tensor logits_of(const data::Dataset& dataset) {
    constexpr int64_t kBatchSize = 500;
    std::vector<at::Tensor> parts;
    data::Batch batch;
    for (int64_t first = 0; first < dataset.size(); first += kBatchSize) {
      std::vector<int64_t> indices(
          static_cast<size_t>(std::min(kBatchSize, dataset.size() - first)));
      std::iota(indices.begin(), indices.end(), first);
      dataset.read(indices, batch);
      parts.push_back(network.logits(samples_of(batch, schema)));
    }
    return at::cat(parts);
  }
};

Teacher::Teacher(const graph::Model& model, const data::Schema& schema, at::Device device) {
  check_model_fits(model, schema, "teacher");
  state_ = std::make_unique<State>(State{
      .network =
          Network(graph::run_passes(model, graph::inference_passes()), Precision::Single, device),
      .schema = schema,
      .precomputed = false,
      .train_logits = {},
      .replay_logits = {}});
}

Teacher::~Teacher() = default;

void Teacher::precompute(const data::Dataset* train, const data::Dataset* replay) {
  const at::NoGradGuard no_grad;
  state_->precomputed = true;
  if (train != nullptr) {
    state_->train_logits = state_->logits_of(*train);
  }
  if (replay != nullptr) {
    state_->replay_logits = state_->logits_of(*replay);
  }
}

at::Tensor Teacher::targets(const LoadedBatch& batch, bool replayed_only) {
  const at::NoGradGuard no_grad;
  if (!state_->precomputed) {
    const at::Tensor samples = samples_of(batch.batch, state_->schema);
    const auto fresh = static_cast<int64_t>(batch.train_positions.size());
    return state_->network.logits(replayed_only ? samples.narrow(0, fresh, batch.batch.size - fresh)
                                                : samples);
  }
  std::vector<at::Tensor> parts;
  if (!replayed_only) {
    parts.push_back(rows_of(state_->train_logits, batch.train_positions));
  }
  if (!batch.replay_positions.empty()) {
    parts.push_back(rows_of(state_->replay_logits, batch.replay_positions));
  }
  return at::cat(parts);
}

}  // namespace coppice::train
