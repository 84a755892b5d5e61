#include "train/evaluate.h"

#include <algorithm>
#include <numeric>

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "train/batch_tensors.h"
#include "train/loss.h"
#include "train/network.h"

namespace coppice::train {

Evaluation evaluate(Network& network, const data::Dataset& dataset, int64_t batch_size) {
  const at::NoGradGuard no_grad;
  std::vector<int64_t> labelled;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    if (dataset.label(i) >= 0) {
      labelled.push_back(i);
    }
  }
  if (labelled.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "the data set to evaluate on has no labels");
  }
  Evaluation result;
  data::Batch batch;
  const auto total = static_cast<int64_t>(labelled.size());
  for (int64_t first = 0; first < total; first += batch_size) {
    const int64_t count = std::min(batch_size, total - first);
    dataset.read(
        std::span(labelled).subspan(static_cast<size_t>(first), static_cast<size_t>(count)), batch);
    const at::Tensor labels = labels_of(batch);
    const at::Tensor logits = network.logits(samples_of(batch, dataset.schema()));
    result.loss += cross_entropy(logits, labels, 0).item<double>() * static_cast<double>(count);
    result.accuracy += logits.argmax(1).eq(labels).sum().item<double>();
  }
  result.loss /= static_cast<double>(total);
  result.accuracy /= static_cast<double>(total);
  return result;
}

}  // namespace coppice::train
