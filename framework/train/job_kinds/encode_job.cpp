#include <fmt/format.h>

#include "core/clock.h"
#include "core/error.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "graph/transfer.h"
#include "report/html.h"
#include "train/components.h"

namespace coppice::train {

namespace {

struct EncodeOptions {
  void visit(core::Fields& /*f*/) {}
};

}  // namespace

/// model.transfer, and beside it the model.onnx that it decodes to.
void run_encode_job(const JobContext& context) {
  const core::Stopwatch watch;
  context.allow_inputs({"model"});
  context.options<EncodeOptions>();
  const graph::Model model = graph::load_onnx(context.input("model"));
  const core::Bytes onnx = graph::to_onnx(model);
  std::vector<graph::TransferPart> parts;
  const core::Bytes coded = graph::to_transfer(onnx, &parts);
  const core::Bytes decoded = graph::from_transfer(coded);
  COPPICE_CHECK(decoded == onnx, "a coded model decodes to the same bytes");

  // What the literature compares with: every parameter as a 32-bit number, and nothing else.
  const double float_bytes = 4 * static_cast<double>(graph::cost(model).parameters);
  std::map<std::string, double> figures{
      {"transfer_bytes", static_cast<double>(coded.size())},
      {"onnx_bytes", static_cast<double>(onnx.size())},
      {"float_bytes", float_bytes},
      {"times_smaller", float_bytes / static_cast<double>(coded.size())}};
  std::vector<std::vector<std::string>> table;
  double values = 0;
  for (const auto& part : parts) {
    values += static_cast<double>(part.coded_bytes);
    figures["coded_bytes." + part.tensor] = static_cast<double>(part.coded_bytes);
    table.push_back(
        {part.tensor, std::to_string(part.raw_bytes), std::to_string(part.coded_bytes)});
  }
  table.push_back(
      {"graph and the rest", "", fmt::format("{:.0f}", figures["transfer_bytes"] - values)});
  figures["seconds"] = watch.seconds();

  core::write_file(context.folder / "model.transfer", coded);
  core::write_file(context.folder / "model.onnx", decoded);
  report::HtmlReport page("Coded for transfer: " + context.spec.name);
  page.facts({{"bytes to transfer", std::to_string(coded.size())},
              {"times smaller than its parameters as floats",
               fmt::format("{:.1f}", figures["times_smaller"])}})
      .section("Tensors")
      .table({"tensor", "bytes", "coded"}, table)
      .write(context.folder / "report.html");
  context.write_summary(figures);
}

}  // namespace coppice::train
