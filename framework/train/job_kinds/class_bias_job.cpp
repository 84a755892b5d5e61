#include <algorithm>
#include <map>

#include "compress/class_bias.h"
#include "core/clock.h"
#include "core/error.h"
#include "data/store.h"
#include "graph/onnx.h"
#include "runtime/engine.h"
#include "train/check_model.h"
#include "train/components.h"
#include "train/job_kinds/rewrite_job.h"
#include "train/sample_tensor.h"

namespace coppice::train {

namespace {

struct ClassBiasOptions {
  std::vector<std::string> classes;

  void visit(core::Fields& f) {
    f.field("classes", classes, {.help = "names of classes", .required = true});
  }
};

int64_t position_of(const std::string& name, const std::vector<std::string>& names) {
  const auto it = std::find(names.begin(), names.end(), name);
  if (it == names.end()) {
    throw core::Error(
        core::ErrorKind::NotFound,
        "classes: the data has no class '" + name + "'" + core::did_you_mean(name, names));
  }
  return it - names.begin();
}

}  // namespace

void run_class_bias_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model", "validation"});
  const auto options = context.options<ClassBiasOptions>();
  const graph::Model before = graph::load_onnx(context.input("model"));
  graph::Model model = before;
  const auto validation = data::open_version(context.input("validation"));
  check_model_fits(before, validation->schema(), "model");
  const auto& names = validation->schema().class_names;
  const graph::Tensor samples = first_samples(*validation, validation->size());
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < validation->size(); ++i) {
    labels.push_back(validation->label(i));
  }
  std::map<std::string, double> figures;
  for (const std::string& name : options.classes) {
    constexpr int64_t kBatch = 64;
    const int64_t c = position_of(name, names);
    const auto engine = runtime::build_engine(model, {.max_batch = kBatch});
    const graph::Tensor logits = runtime::run_all(*engine, samples, kBatch);
    const double shift = compress::best_logit_shift(
        logits.data<float>(), labels, static_cast<int64_t>(names.size()), c);
    model = compress::shift_class_bias(std::move(model), c, shift);
    figures["shift." + name] = shift;
  }
  add_lineage(context, before, model);
  graph::save_onnx(model, context.folder / "model.onnx");
  figures["seconds"] = watch.seconds();
  context.write_summary(figures);
}

}  // namespace coppice::train
