#include "train/job_kinds/rewrite_job.h"

#include "compress/criteria.h"
#include "core/files.h"
#include "data/store.h"
#include "graph/onnx.h"
#include "graph/transfer.h"
#include "train/components.h"
#include "train/importance.h"

namespace coppice::train {

void add_lineage(const JobContext& context, const graph::Model& before, graph::Model& after) {
  after.metadata.lineage["parent"] = graph::content_hash(before);
  after.metadata.lineage["stage"] = context.spec.name;
}

std::optional<compress::Statistics> statistics_for(const JobContext& context,
                                                   const graph::Model& model,
                                                   const std::string& criterion,
                                                   const compress::ImportanceOptions& options) {
  const compress::CriterionNeeds needs = compress::criteria().get(criterion).needs;
  if (needs == compress::CriterionNeeds::Nothing || !context.has_input("train")) {
    return std::nullopt;
  }
  return measure_importance(model, *data::open_version(context.input("train")), needs, options);
}

std::map<std::string, double> save_for_transfer(const JobContext& context,
                                                const graph::Model& before,
                                                const graph::Model& after) {
  const core::Bytes onnx = graph::to_onnx(after);
  core::write_file(context.folder / "model.onnx", onnx);
  const core::Bytes old_onnx = graph::to_onnx(before);
  return {{"transfer_bytes_before", static_cast<double>(graph::to_transfer(old_onnx).size())},
          {"transfer_bytes", static_cast<double>(graph::to_transfer(onnx).size())}};
}

}  // namespace coppice::train
