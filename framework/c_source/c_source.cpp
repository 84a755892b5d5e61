#include "c_source/c_source.h"

#include <fmt/format.h>

#include "c_source/header.h"
#include "c_source/names.h"
#include "c_source/plan.h"
#include "c_source/source.h"
#include "c_source/write.h"
#include "core/error.h"
#include "core/files.h"
#include "graph/cost.h"

namespace coppice::c_source {

namespace {

using graph::Op;

// A product and a sum that became one operation would round once instead of twice.
constexpr const char* kPreamble = R"c(
#include <float.h>
#include <math.h>
#include <string.h>

#if defined(__FAST_MATH__)
#error "rounding needs IEEE arithmetic: build this file without -ffast-math"
#endif
#if FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16 && FLT_EVAL_METHOD != 32
#error "rounding needs single precision: on x86 build this file with -msse2 -mfpmath=sse"
#endif
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif
)c";

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

void write_steps(Source& source) {
  for (const Step& step : source.plan().steps()) {
    const graph::Node& output = *step.output;
    std::visit(
        Overloaded{
            [&](const runtime::QuantisedLayer& layer) { write_layer(source, output, layer); },
            [&](const FloatLayer& layer) { write_layer(source, output, layer); },
            [&](const ElementLoop& loop) { write_element_loop(source, output, loop); },
            [&](const SingleNode& single) {
              write_node(source, output, single);
            }},
        step.work);
  }
  const Plan& plan = source.plan();
  for (const size_t i : plan.copied_outputs()) {
    const graph::Node& node = plan.node(plan.model().graph.outputs[i]);
    source.statement(fmt::format("  memcpy({}, {}, {});",
                                 output_name(plan, i),
                                 source.value(node.name),
                                 sample_size(node) * graph::size_bytes(node.dtype)));
  }
}

std::string null_check(const Plan& plan) {
  std::string condition;
  const auto add = [&](const std::string& name) {
    condition += (condition.empty() ? "" : " || ") + name + " == 0";
  };
  for (size_t i = 0; i < plan.model().graph.inputs().size(); ++i) {
    add(input_name(plan, i));
  }
  for (size_t i = 0; i < plan.model().graph.outputs.size(); ++i) {
    add(output_name(plan, i));
  }
  return fmt::format("  if ({}) {{\n    return 1;\n  }}\n", condition);
}

std::string class_names(const CSource& result, const std::vector<std::string>& names) {
  if (names.empty()) {
    return "";
  }
  std::string text =
      fmt::format("\nconst char *const {}_class_names[{}] = {{\n", result.prefix, names.size());
  for (const std::string& name : names) {
    text += "  " + string_literal(name) + ",\n";
  }
  return text + "};\n";
}

std::string code_text(const CSource& result, const Source& source, const Plan& plan) {
  std::string text = fmt::format("#include \"{}.h\"\n", result.prefix) + kPreamble;
  text += source.functions();
  if (!source.data().empty()) {
    text += "\n" + source.data();
  }
  text += class_names(result, plan.model().metadata.class_names);
  if (result.arena_bytes > 0) {
    text += fmt::format(
        "\n/* Every activation; the other members align it. */\n"
        "static union {{\n  uint8_t bytes[{}];\n  int64_t integer;\n  double real;\n}} arena;\n",
        result.arena_bytes);
  }
  text += "\n" + run_declaration(result.prefix, plan) + "\n{\n" + null_check(plan);
  return text + source.body() + "  return 0;\n}\n";
}

}  // namespace

void Options::visit(core::Fields& f) {
  f.field("prefix", prefix, {.help = "of the C names; empty: from the model's name"});
}

CSource generate(const graph::Model& model, const Options& options) {
  CSource result;
  result.prefix = options.prefix.empty() ? identifier(model.metadata.name) : options.prefix;
  check_prefix(result.prefix);
  Plan plan(model);
  Source source(plan);
  write_steps(source);
  result.constant_bytes = source.constant_bytes();
  for (const std::string& name : plan.model().metadata.class_names) {
    result.constant_bytes += std::ssize(name) + 1;
  }
  result.arena_bytes = plan.arena_bytes();
  result.macs = graph::cost(model).macs;
  result.header = header_text(result, plan);
  result.code = code_text(result, source, plan);
  return result;
}

std::vector<std::string> supported_ops() {
  std::vector<std::string> names;
  for (const graph::OpInfo& op : graph::all_ops()) {
    const bool dissolves = op.op == Op::Input || op.op == Op::Dropout;
    const bool layer = op.op == Op::Conv || op.op == Op::Gemm;
    if (dissolves || layer || is_elementwise(op.op) || has_node_form(op.op)) {
      names.emplace_back(op.name);
    }
  }
  return names;
}

void write_files(const CSource& source, const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) {
    throw core::Error(
        core::ErrorKind::Io,
        fmt::format("cannot make the folder '{}': {}", folder.string(), failed.message()));
  }
  core::write_file(folder / (source.prefix + ".h"), source.header);
  core::write_file(folder / (source.prefix + ".c"), source.code);
}

}  // namespace coppice::c_source
