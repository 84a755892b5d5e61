#include "coppice/model_commands.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "runtime/engine.h"

namespace coppice::tools {

namespace {

constexpr const char* kSource =
    "ONNX file (plain or coded for transfer), run directory, YAML file of a network "
    "(configs/models), or a network of the zoo";

void add_overrides(CLI::App& command, std::vector<std::string>& overrides) {
  command
      .add_option("--set",
                  overrides,
                  "a field of the network: model.widths=[8,16], input.shape=[3,32,32] (again for "
                  "more)")
      ->take_all()
      ->allow_extra_args(false);
}

std::string backend_names() {
  return fmt::format("{}", fmt::join(runtime::backend_choices(), ", "));
}

void add_facts(CLI::App& command, ModelCompareOptions& options) {
  add_overrides(command, options.facts.overrides);
  command.add_option(
      "--data", options.facts.data, "labelled samples to judge by: data-set version (.h5)");
  command.add_option("--backend", options.facts.backend, backend_names())->capture_default_str();
  command.add_option("--threads", options.facts.threads, "of one run")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command.add_option("--runs", options.facts.runs, "timed, in each of three rounds")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  command.add_option("--html", options.html, "write a page with pictures");
  command.add_flag("--json", options.json, "print JSON instead of tables");
}

}  // namespace

void ModelCommands::add_to(CLI::App& app) {
  CLI::App* model = app.add_subcommand("model", "Look at, compare, export, time or run models");
  model->require_subcommand(1);
  add_export(*model);
  add_bench(*model);
  add_run(*model);
  add_inspect(*model);
  add_compare(*model);
  add_sensitivity(*model);
}

void ModelCommands::add_export(CLI::App& model) {
  CLI::App* command = model.add_subcommand(
      "export",
      "Write a model as ONNX (plain or coded), C source or TorchScript, in float or int8");
  command->add_option("SOURCE", export_.source, kSource)->required();
  add_overrides(*command, export_.overrides);
  command
      ->add_option("--format",
                   export_.format,
                   "onnx, transfer (ONNX in fewer bytes), c (for microcontrollers) or torchscript")
      ->check(CLI::IsMember(export_formats()))
      ->capture_default_str();
  command->add_option("--out",
                      export_.out,
                      "file to write, or the folder of the C files; default: model.onnx, "
                      "model.transfer, model.pt, this folder");
  command->add_option("--prefix", export_.prefix, "of the names in C; default: the model's name");
  command->add_option("--trainer",
                      export_.trainer,
                      "coppice-train, which writes TorchScript; default: beside this");
  command->add_flag("--int8", export_.int8, "quantise (QDQ); needs --calibrate");
  command->add_option("--calibrate",
                      export_.calibrate,
                      "data whose activations set the scales: NPY, data-set version (.h5), folder "
                      "of images; or 'random'");
  command->add_flag("--json", export_.json, "print JSON instead of a table");
  command->footer(
      "Fields for --set: model.*, input.dtype|shape|mean|std|classes|class_names|outputs, seed, "
      "quantise.*\n\n"
      "  coppice model export configs/models/resnet-20.yaml --set input.shape=[3,32,32] --out "
      "r20.onnx\n"
      "  coppice model export runs/NAME --int8 --calibrate images.npy --out int8.onnx\n"
      "  coppice model export int8.onnx --format c --prefix digits --out firmware/model\n"
      "  coppice model export runs/NAME --format torchscript --out model.pt");
  command->callback([this] { export_model(export_); });
}

void ModelCommands::add_bench(CLI::App& model) {
  CLI::App* command = model.add_subcommand(
      "bench", "Time models on backends: latency, throughput, memory, every layer");
  command->add_option("SOURCE", bench_.sources, std::string(kSource) + "; several are compared")
      ->required();
  add_overrides(*command, bench_.overrides);
  command->add_option("--backend", bench_.backends, backend_names() + " (again for more), or all")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--cache", bench_.cache, "file that keeps what auto chose, or none");
  command->add_option("--threads", bench_.threads, "of one run")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_option("--batch", bench_.profile.batch, "samples of one run")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command->add_option("--runs", bench_.profile.runs, "timed, in each round")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  command->add_option("--warm-up", bench_.profile.warm_up, "runs before them")
      ->check(CLI::Range(0, 10'000'000))
      ->capture_default_str();
  command
      ->add_option("--rounds",
                   bench_.rounds,
                   "measure every case so many times, in turns, each in a process of its own")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag(
      "--layers", bench_.layers, "print the layers of every case, not of a single one");
  command->add_option("--html", bench_.html, "write a page with pictures of the layers");
  command->add_flag("--json", bench_.json, "print JSON instead of tables");
  command->add_flag("--keep-times", bench_.keep_times, "with the time of every run in it");
  command->footer(
      "Memory is the largest resident set of a process that loads and runs this model alone.\n\n"
      "  coppice model bench model.onnx --backend onednn --backend reference\n"
      "  coppice model bench fp32.onnx int8.onnx --html bench.html");
  command->callback([this] {
    if (bench_.backends == std::vector<std::string>{"all"}) {
      bench_.backends = runtime::backends();
    }
    bench_models(bench_);
  });
}

void ModelCommands::add_run(CLI::App& model) {
  CLI::App* command = model.add_subcommand("run", "Run a model on data and print what it predicts");
  command->add_option("SOURCE", run_.source, kSource)->required();
  command
      ->add_option("DATA",
                   run_.data,
                   "NPY array of samples, data-set version (.h5), image, or folder of images")
      ->required();
  add_overrides(*command, run_.overrides);
  command->add_option("--backend", run_.engine.backend, backend_names())->capture_default_str();
  command->add_option("--threads", run_.engine.threads, "of one run")->capture_default_str();
  command->add_option("--limit", run_.limit, "samples from the front; 0: all")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40))
      ->capture_default_str();
  command->add_option("--top", run_.top, "classes told of each sample")->capture_default_str();
  command->add_flag("--json", run_.json, "print JSON instead of a table");
  command->footer(
      "  coppice model run model.onnx images/ --top 3\n"
      "  coppice model run runs/NAME samples.npy --json");
  command->callback([this] { run_model(run_); });
}

void ModelCommands::add_inspect(CLI::App& model) {
  CLI::App* command =
      model.add_subcommand("inspect", "Layers of a model: channels, MACs, bytes, latency of each");
  command->add_option("SOURCE", inspect_.facts.sources, kSource)->required()->expected(1);
  add_facts(*command, inspect_);
  command->footer(
      "Latency is of the device engine's step, with all that is fused into a layer; what is fused "
      "has none of its own.\n\n"
      "  coppice model inspect runs/NAME\n"
      "  coppice model inspect resnet --set input.shape=[3,32,32] --html layers.html");
  command->callback([this] { compare_models(inspect_); });
}

void ModelCommands::add_compare(CLI::App& model) {
  CLI::App* command = model.add_subcommand(
      "compare", "Models side by side, layer by layer, before and after compression");
  command->add_option("SOURCE", compare_.facts.sources, std::string(kSource) + "; two or more")
      ->required()
      ->expected(2, 26);
  add_facts(*command, compare_);
  command->footer(
      "Layers are matched by name; factors and points are against the first model.\n\n"
      "  coppice model compare float.onnx int8.onnx --data runs/NAME/data/TEST.h5");
  command->callback([this] { compare_models(compare_); });
}

void ModelCommands::add_sensitivity(CLI::App& model) {
  CLI::App* command = model.add_subcommand(
      "sensitivity", "Accuracy against the share of each group of channels that is cut");
  command->add_option("SOURCE", sensitivity_.source, kSource)->required();
  command
      ->add_option(
          "--data", sensitivity_.data, "labelled samples to judge by: data-set version (.h5)")
      ->required();
  command->add_option("--train", sensitivity_.train, "data for criteria that need some");
  add_overrides(*command, sensitivity_.overrides);
  command->add_option("--criterion", sensitivity_.criterion, "see coppice list criteria")
      ->capture_default_str();
  command->add_option("--shares", sensitivity_.shares, "cut of each group: 0.25 0.5 0.75")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--samples", sensitivity_.samples, "that the score is of")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->capture_default_str();
  command
      ->add_option("--tolerance", sensitivity_.tolerance, "loss that a share may cost to be borne")
      ->capture_default_str();
  command->add_option("--trainer", sensitivity_.trainer, "coppice-train; default: beside this");
  command->add_option("--html", sensitivity_.html, "write a page with a picture");
  command->add_flag("--json", sensitivity_.json, "print JSON instead of a table");
  command->footer(
      "  coppice model sensitivity runs/NAME --data runs/NAME/data/TEST.h5 --html s.html");
  command->callback([this] { scan_sensitivity(sensitivity_); });
}

}  // namespace coppice::tools
