#include <algorithm>

#include <fmt/format.h>

#include "core/clock.h"
#include "core/error.h"
#include "graph/pass.h"

namespace coppice::graph {

namespace {

void refuse_unknown(const std::vector<std::unique_ptr<Pass>>& passes,
                    const std::vector<std::string>& disabled) {
  std::vector<std::string_view> names;
  names.reserve(passes.size());
  for (const auto& pass : passes) {
    names.push_back(pass->name());
  }
  for (const std::string& name : disabled) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw core::Error(
          core::ErrorKind::InvalidArgument,
          fmt::format("no pass '{}' to disable{}", name, core::did_you_mean(name, names)));
    }
  }
}

}  // namespace

Model run_passes(Model model,
                 const std::vector<std::unique_ptr<Pass>>& passes,
                 const std::vector<std::string>& disabled,
                 std::vector<PassTiming>* timings) {
  refuse_unknown(passes, disabled);
  for (const auto& pass : passes) {
    if (std::find(disabled.begin(), disabled.end(), pass->name()) != disabled.end()) {
      continue;
    }
    const core::Stopwatch watch;
    model = pass->apply(std::move(model));
    try {
      infer_shapes(model);
      verify(model);
    } catch (const core::Error& error) {
      throw core::Error(core::ErrorKind::Internal,
                        fmt::format("pass '{}' broke the model: {}", pass->name(), error.what()));
    }
    if (timings != nullptr) {
      timings->push_back({std::string(pass->name()), watch.seconds()});
    }
  }
  return model;
}

std::vector<std::unique_ptr<Pass>> inference_passes() {
  std::vector<std::unique_ptr<Pass>> passes;
  passes.push_back(make_remove_dropout());
  passes.push_back(make_fold_batch_norm());
  passes.push_back(make_remove_unused());
  return passes;
}

}  // namespace coppice::graph
