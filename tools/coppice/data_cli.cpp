#include "coppice/data_cli.h"

namespace coppice::tools {

namespace {

constexpr const char* kVersions = "data/versions";

void add_versions(CLI::App& command, std::filesystem::path& folder, const char* help) {
  folder = kVersions;
  command.add_option("--versions", folder, help)->capture_default_str();
}

void add_import(CLI::App& data, DataImportOptions& options) {
  CLI::App* command = data.add_subcommand(
      "import", "Read a known data set, check it, and write its parts as immutable versions");
  command->add_option("MANIFEST", options.manifest, "what it is and how it is read (YAML)")
      ->required();
  command->add_option("--from", options.from, "folder of its files; default: the manifest's");
  options.to = kVersions;
  command->add_option("--versions", options.to, "folder that the versions are written to")
      ->capture_default_str();
  command->add_option("--part", options.parts, "only this part (again for more); default: all")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--parent",
                      options.parent,
                      "version that it follows (file or first digits of its hash): named as its "
                      "parent and compared with");
  command
      ->add_option("--set", options.overrides, "override a field: parts.0.source.csv.missing=drop")
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--json", options.json, "print JSON instead of a table");
  command->footer(
      "Formats: coppice list readers. A version is named by the hash of its content: importing the "
      "same again finds it.\n\n"
      "  coppice data import datasets/fashion-mnist.yaml\n"
      "  coppice data import datasets/gas-sensor-drift.yaml --from ~/gas --part batch-1");
  command->callback([&options] { import_data(options); });
}

void add_inspect(CLI::App& data, DataInspectOptions& options) {
  CLI::App* command = data.add_subcommand(
      "inspect",
      "Show a version: schema, origin, classes, values, duplicates, what deserves a look");
  command->add_option("VERSION", options.version, "file, or first digits of its hash")->required();
  add_versions(*command, options.versions, "folder that hashes are looked up in");
  CLI::Option* low = command->add_option("--low", options.checks.low, "least value allowed");
  CLI::Option* high = command->add_option("--high", options.checks.high, "greatest value allowed");
  low->needs(high);
  high->needs(low);
  command
      ->add_option("--most-imbalance",
                   options.checks.most_imbalance,
                   "largest class over smallest that is not worth a finding")
      ->capture_default_str();
  command
      ->add_option("--most-duplicates",
                   options.checks.most_duplicates,
                   "share of duplicates that is not worth a finding")
      ->capture_default_str();
  command->add_flag("--json", options.json, "print JSON");
  command->footer(
      "  coppice data inspect data/versions/3f2a….h5\n  coppice data inspect 3f2a --json");
  command->callback([&options, low] {
    options.checks.check_range = low->count() > 0;
    inspect_data(options);
  });
}

void add_diff(CLI::App& data, DataDiffOptions& options) {
  CLI::App* command = data.add_subcommand(
      "diff",
      "Compare two versions: samples, labels, class shares, and whether values have shifted");
  command->add_option("BEFORE", options.before, "file, or first digits of its hash")->required();
  command->add_option("AFTER", options.after, "the same")->required();
  add_versions(*command, options.versions, "folder that hashes are looked up in");
  command
      ->add_option("--psi",
                   options.thresholds.psi_threshold,
                   "population stability index from which a shift is large")
      ->capture_default_str();
  command
      ->add_option("--significance",
                   options.thresholds.significance,
                   "of the Kolmogorov-Smirnov test, shared by all tests")
      ->capture_default_str();
  command->add_option("--bins", options.thresholds.bins, "of the index")
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  command->add_flag("--json", options.json, "print JSON");
  command->footer(
      "A value has shifted (*) where the index says that it is large and the test that it is no "
      "chance.\nOf images and windows each channel's mean and deviation in a sample are compared.");
  command->callback([&options] { diff_data(options); });
}

void add_split(CLI::App& data, DataSplitOptions& options) {
  CLI::App* command = data.add_subcommand(
      "split", "Split a version into parts, each a version whose parent is the whole");
  command->add_option("VERSION", options.version, "file, or first digits of its hash")->required();
  add_versions(*command, options.versions, "folder that the parts are written to");
  command
      ->add_option("--method",
                   options.method,
                   "stratified (class shares as in the whole), grouped (no group in two parts) or "
                   "ordered (the past first)")
      ->capture_default_str();
  command->add_option(
      "--column", options.column, "of groups or times; ordered without: by position");
  command->add_option("--part", options.parts, "NAME=SHARE, again for each; default: 0.8 and 0.2")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--seed", options.seed, "of the draw")->capture_default_str();
  command->add_option("--options", options.file, "YAML file with all of these instead");
  command->footer(
      "  coppice data split 3f2a --part train=0.7 --part held_out=0.1 --part test=0.2\n"
      "  coppice data split 3f2a --method grouped --column device");
  command->callback([&options] { split_data(options); });
}

}  // namespace

void add_data(CLI::App& app, DataOptions& options) {
  CLI::App* data = app.add_subcommand("data", "Import, inspect, compare and split data sets");
  data->require_subcommand(1);
  add_import(*data, options.import);
  add_inspect(*data, options.inspect);
  add_diff(*data, options.diff);
  add_split(*data, options.split);
}

}  // namespace coppice::tools
