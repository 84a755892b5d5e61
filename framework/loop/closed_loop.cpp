#include "loop/closed_loop.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "cloud/service.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "core/progress.h"
#include "data/split.h"
#include "graph/cost.h"
#include "graph/onnx.h"
#include "loop/fleet.h"
#include "loop/import.h"
#include "loop/judge.h"
#include "loop/pipeline.h"

namespace coppice::loop {

namespace {

using std::chrono::milliseconds;

constexpr core::Timestamp kStart{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
constexpr auto kDay = std::chrono::milliseconds(std::chrono::days{1});

/// One run: the world, the service and the fleet, wired together.
class ClosedLoop {
 public:
  ClosedLoop(const LoopOptions& options, const std::filesystem::path& folder, Stages& stages)
      : options_(options),
        folder_(folder),
        stages_(stages),
        seed_(static_cast<uint64_t>(options.seed)),
        clock_(kStart),
        broker_({options.field.duplicate_share, options.field.delay_share, seed_}) {}

  LoopResult run() {
    import();
    first_release();
    for (int64_t day = 1; day <= options_.field.scenario.total_days(); ++day) {
      run_day(day);
    }
    settle();
    finish();
    return std::move(result_);
  }

 private:
  void import() {
    const core::Stopwatch watch;
    data_ = import_data(
        options_.data, options_.field.scenario.withheld_classes, folder_ / "data", seed_);
    require_classes(data_, "loop");
    result_.class_names = data_.test.samples->schema().class_names;
    known_classes_ = classes_of(*data_.train.samples);
    stages_.record("import", watch.seconds());
  }

  void first_release() {
    const auto& train = data_.train.version.file;
    first_ = build_first(
        stages_, options_.teacher, options_.student, options_.compress, {train, {}, {}, train});

    const core::Stopwatch watch;
    const auto keys = release::load_or_create_keys(folder_ / "keys");
    std::filesystem::remove_all(folder_ / "cloud");
    std::filesystem::remove_all(folder_ / "devices");
    labeller_ = std::make_unique<cloud::SimulatedLabeller>(
        [this](const std::string& device, int64_t sequence) {
          return fleet_->truth(device, sequence);
        },
        static_cast<int64_t>(result_.class_names.size()),
        options_.field.label_error_share,
        seed_);
    cloud_transport_ = broker_.connect("cloud");
    fleet_ = std::make_unique<Fleet>(
        options_, data_.field.samples, folder_ / "devices", keys.public_key, broker_, clock_);
    cloud::ServiceOptions service = options_.service;
    service.fleet = options_.name;
    service.model_name = options_.name;
    service_ = std::make_unique<cloud::Service>(
        service, folder_ / "cloud", fleet_->names(), keys, *cloud_transport_, clock_, *labeller_);
    judge_ = std::make_unique<Judge>(
        data_.test.samples, options_.field.scenario, options_.device.engine, seed_);

    const core::Bytes artefact = core::read_file(first_.artefact);
    const auto verdict = service_->judge(artefact, *known_held_out(), clock_.now());
    if (!verdict.passed) {
      throw core::Error(
          core::ErrorKind::Refused,
          fmt::format("the first artefact fails its gate: {}", fmt::join(verdict.reasons, "; ")));
    }
    first_hash_ = record_lineage(first_, "first");
    service_->publish(artefact, "first", verdict.metrics);
    for (int i = 0; i < 5;
         ++i) {  // before the first day: with delayed messages, more than one round
      fleet_->talk();
      service_->tick();
    }
    stages_.record("gate", watch.seconds());
  }

  void run_day(int64_t day) {
    const core::Stopwatch watch;
    double retraining_seconds = 0;
    const auto ticks = options_.field.ticks_per_day;
    const auto morning = clock_.now();
    const auto& phase = data::phase_of_day(options_.field.scenario, day);
    core::Progress progress(fmt::format("day {} ({})", day, phase.name), ticks, "ticks");
    for (int64_t tick = 0; tick < ticks; ++tick) {
      core::throw_if_interrupted();
      clock_.advance(kDay / ticks);
      fleet_->tick(day, tick);
      service_->tick();
      if (service_->retraining_due() != cloud::TriggerReason::None) {
        const core::Stopwatch retraining;
        retrain(day);
        retraining_seconds += retraining.seconds();
      }
      progress.advance();
    }
    result_.days.push_back(close_day(day, phase, morning));
    const DayRow& row = result_.days.back();
    stages_.record(fmt::format("day-{}", day), watch.seconds() - retraining_seconds);
    core::log_info(
        fmt::format("day {:>2} {:<10} frozen {:.1f} %  loop {:.1f} %  uploaded {}  release {}",
                    day,
                    phase.name,
                    100 * row.frozen_accuracy,
                    100 * row.loop_accuracy,
                    row.uploaded,
                    row.release));
  }

  DayRow close_day(int64_t day, const data::DriftPhase& phase, core::Timestamp morning) {
    DayRow row;
    row.day = day;
    row.phase = phase.name;
    const core::Bytes first = service_->registry().get_object(first_hash_);
    row.frozen_accuracy = judge_->judge(first_hash_, first, phase).accuracy();
    for (const auto& agent : fleet_->agents()) {
      const std::string& hash = agent->artefact_hash();
      row.loop_accuracy +=
          judge_->judge(hash, service_->registry().get_object(hash), phase).accuracy();
    }
    row.loop_accuracy /= static_cast<double>(fleet_->agents().size());
    const Fleet::Day stream = fleet_->take_day();
    row.inferred = stream.inferred;
    row.stream_accuracy = stream.inferred > 0 ? static_cast<double>(stream.right) /
                                                    static_cast<double>(stream.inferred)
                                              : 0;
    row.estimated_accuracy = service_->samples().estimate_accuracy(morning).accuracy;
    const int64_t stored = service_->samples().count();
    row.uploaded = stored - stored_before_;
    stored_before_ = stored;
    int64_t bytes = 0;
    for (const auto& name : fleet_->names()) {
      bytes += broker_.bytes_published(name);
    }
    row.uploaded_bytes = bytes - bytes_before_;
    bytes_before_ = bytes;
    row.release = service_->champion();
    const auto& events = service_->events();
    row.events.assign(events.begin() + static_cast<std::ptrdiff_t>(events_before_), events.end());
    events_before_ = events.size();
    return row;
  }

  void retrain(int64_t day) {
    service_->retraining_started();
    ++retrainings_;
    const std::string tag = fmt::format("retrain-{}", retrainings_);
    core::log_info(fmt::format(
        "{}: on day {}, {} labelled field samples", tag, day, service_->samples().labelled(false)));
    const TrainingData data = field_data();
    const Lineage next =
        rebuild(stages_, tag, field_lineage(), options_.retrain, options_.compress, data);
    const core::Bytes artefact = core::read_file(next.artefact);
    const auto verdict = service_->judge(artefact, *known_held_out(), clock_.now() - kDay);
    for (const auto& [name, value] : verdict.metrics) {
      core::log_debug(fmt::format("{}: {} {:.4g}", tag, name, value));
    }
    if (!verdict.passed) {
      ++gate_refusals_;
      core::log_warning(
          fmt::format("{}: the gate refuses it: {}", tag, fmt::join(verdict.reasons, "; ")));
      return;
    }
    record_lineage(next, tag);
    service_->publish(artefact, "retrain", verdict.metrics);
  }

  /// The newest labelled field samples to learn from; to replay, the first training set and the
  /// older field samples; to calibrate, some of both.
  TrainingData field_data() {
    std::vector<std::string> origins;
    const auto all =
        service_->samples().dataset(data_.train.samples->schema(), false, {}, &origins);
    for (const int64_t label : classes_of(*all)) {
      known_classes_.insert(label);
    }
    const int64_t wanted = options_.retrain.newest_samples;
    const int64_t count = wanted > 0 ? std::min(wanted, all->size()) : all->size();
    const auto older = slice(all, 0, all->size() - count);
    const auto newest = slice(all, all->size() - count, count);
    origins.erase(origins.begin(), origins.end() - count);
    const auto& first = data_.train;
    const auto train = data::write_version(
        folder_ / "data", *newest, {first.version.hash}, {{"fleet", options_.name}}, origins);
    const auto replay = data::make_concatenation({first.samples, older});
    const int64_t half = options_.retrain.calibration_samples / 2;
    const auto newest_half = std::min(half, count);
    const auto calibration =
        data::make_concatenation({slice(first.samples, 0, std::min(half, first.samples->size())),
                                  slice(newest, count - newest_half, newest_half)});
    return {train.file,
            write_mix(*replay, train, "replay"),
            {},
            write_mix(*calibration, train, "calibration")};
  }

  std::filesystem::path write_mix(const data::Dataset& samples,
                                  const data::Version& field,
                                  const std::string& what) const {
    return data::write_version(
               folder_ / "data", samples, {data_.train.version.hash, field.hash}, {{"split", what}})
        .file;
  }

  static data::DatasetPtr slice(const data::DatasetPtr& base, int64_t begin, int64_t count) {
    std::vector<int64_t> indices(static_cast<size_t>(count));
    std::iota(indices.begin(), indices.end(), begin);
    return data::make_subset(base, std::move(indices));
  }

  /// Lets what is under way arrive, without new images: nothing may be lost only because the last
  /// day ended.
  void settle() {
    for (int round = 0; round < 200; ++round) {
      clock_.advance(std::chrono::hours(1));
      fleet_->talk();
      service_->tick();
      const bool quiet =
          std::all_of(fleet_->agents().begin(), fleet_->agents().end(), [](const auto& agent) {
            return agent->spool().under_way().empty();
          });
      if (quiet) {
        return;
      }
    }
  }

  void finish() {
    auto& figures = result_.figures;
    const graph::Model float_student = graph::load_onnx(first_.student);
    const core::Bytes artefact = core::read_file(first_.artefact);
    const graph::Model shipped = graph::from_onnx(artefact);
    const std::set<int64_t> known = classes_of(*data_.train.samples);
    const auto known_test = data::make_subset(
        data_.test.samples, data::with_classes(*data_.test.samples, {known.begin(), known.end()}));
    const double before =
        confusion_of(core::read_file(first_.student), *known_test, options_.device.engine)
            .accuracy();
    const double after = confusion_of(artefact, *known_test, options_.device.engine).accuracy();
    figures["student_bytes_ratio"] =
        static_cast<double>(artefact.size()) /
        static_cast<double>(std::filesystem::file_size(first_.student));
    figures["student_macs_ratio"] = static_cast<double>(graph::cost(shipped).macs) /
                                    static_cast<double>(graph::cost(float_student).macs);
    figures["student_accuracy_drop_points"] = 100 * (before - after);
    figures["student_accuracy"] = after;
    if (!first_.teacher.empty()) {
      figures["teacher_accuracy"] =
          confusion_of(core::read_file(first_.teacher), *known_test, options_.device.engine)
              .accuracy();
    }
    summarise_days(figures);
    account(figures);
    release::write_release(service_->registry().load_release(service_->champion()),
                           folder_ / "release");
    figures["retrainings"] = static_cast<double>(retrainings_);
    figures["gate_refusals"] = static_cast<double>(gate_refusals_);
    figures["releases"] = static_cast<double>(service_->registry().releases().size());
    const auto& phase =
        data::phase_of_day(options_.field.scenario, options_.field.scenario.total_days());
    const std::string last_hash = fleet_->agents().front()->artefact_hash();
    result_.confusion_before = counts(judge_->judge(first_hash_, artefact, phase));
    result_.confusion_after =
        counts(judge_->judge(last_hash, service_->registry().get_object(last_hash), phase));
    result_.times = stages_.times();
  }

  /// Gain over the days on which the field is not as it was at first.
  void summarise_days(std::map<std::string, double>& figures) const {
    double gain = 0;
    int64_t drifted_days = 0;
    const std::string& first_phase = result_.days.front().phase;
    bool drifted = false;
    for (const DayRow& row : result_.days) {
      drifted = drifted || row.phase != first_phase;
      if (drifted) {
        gain += 100 * (row.loop_accuracy - row.frozen_accuracy);
        ++drifted_days;
      }
    }
    figures["loop_gain_points"] = drifted_days > 0 ? gain / static_cast<double>(drifted_days) : 0;
    figures["last_day_accuracy"] = result_.days.back().loop_accuracy;
  }

  /// Where every sample that a device chose to keep has gone.
  void account(std::map<std::string, double>& figures) {
    int64_t mined = 0;
    int64_t waiting = 0;
    int64_t evicted = 0;
    for (const auto& agent : fleet_->agents()) {
      mined += agent->mined();
      waiting += agent->spool().count();
      evicted += agent->spool().evicted();
    }
    std::vector<std::string> keys;
    service_->samples().dataset(data_.train.samples->schema(), false, {}, &keys);
    service_->samples().dataset(data_.train.samples->schema(), true, {}, &keys);
    const std::set<std::string> distinct(keys.begin(), keys.end());
    const int64_t inferred = std::accumulate(
        result_.days.begin(), result_.days.end(), int64_t{0}, [](int64_t sum, const DayRow& row) {
          return sum + row.inferred;
        });
    const auto arrived = static_cast<int64_t>(distinct.size());
    figures["samples_mined"] = static_cast<double>(mined);
    figures["samples_evicted"] = static_cast<double>(evicted);
    figures["samples_waiting"] = static_cast<double>(waiting);
    figures["samples_uploaded"] = static_cast<double>(arrived);
    figures["samples_lost"] = static_cast<double>(mined - waiting - evicted - arrived);
    figures["samples_duplicated"] =
        static_cast<double>(static_cast<int64_t>(keys.size()) - arrived);
    figures["samples_redelivered"] = static_cast<double>(service_->repeated_samples());
    figures["images_seen"] = static_cast<double>(inferred);
    figures["uploaded_share"] =
        static_cast<double>(service_->samples().count()) / static_cast<double>(inferred);
  }

  /// What the model in the field was made from.
  const Lineage& field_lineage() const {
    const auto record = service_->registry().find_release(service_->champion());
    COPPICE_CHECK(record.has_value(), "the champion is a recorded release");
    return lineages_.at(record->manifest.artefact_hash);
  }

  std::string record_lineage(const Lineage& lineage, const std::string& tag) {
    auto& registry = service_->registry();
    const auto artefact = registry.put_object(core::read_file(lineage.artefact));
    const auto recovered = registry.put_object(core::read_file(lineage.recovered));
    const auto student = registry.put_object(core::read_file(lineage.student));
    registry.record_model(artefact, tag + " artefact", {}, clock_.now());
    registry.record_model(recovered, tag + " recovered", {}, clock_.now());
    registry.record_model(student, tag + " student", {}, clock_.now());
    registry.record_lineage(artefact, "quantised_from", recovered);
    registry.record_lineage(recovered, "pruned_from", student);
    if (!lineage.teacher.empty()) {
      registry.record_lineage(
          student, "distilled_from", registry.put_object(core::read_file(lineage.teacher)));
    }
    lineages_[artefact] = lineage;
    return artefact;
  }

  static std::set<int64_t> classes_of(const data::Dataset& dataset) {
    std::set<int64_t> classes;
    for (int64_t i = 0; i < dataset.size(); ++i) {
      classes.insert(dataset.label(i));
    }
    return classes;
  }

  /// The held-out images of the classes that training data had so far: a class that nobody has
  /// labelled can't be judged.
  data::DatasetPtr known_held_out() const {
    return data::make_subset(data_.held_out.samples,
                             data::with_classes(*data_.held_out.samples,
                                                {known_classes_.begin(), known_classes_.end()}));
  }

  static std::vector<std::vector<double>> counts(const monitor::Confusion& confusion) {
    std::vector<std::vector<double>> rows;
    for (int64_t t = 0; t < confusion.classes(); ++t) {
      auto& row = rows.emplace_back();
      for (int64_t p = 0; p < confusion.classes(); ++p) {
        row.push_back(static_cast<double>(confusion.at(t, p)));
      }
    }
    return rows;
  }

  const LoopOptions& options_;
  std::filesystem::path folder_;
  Stages& stages_;
  uint64_t seed_;
  core::VirtualClock clock_;
  link::InProcessBroker broker_;
  ImportedData data_;
  Lineage first_;
  std::map<std::string, Lineage> lineages_;  // by artefact
  std::string first_hash_;
  std::set<int64_t> known_classes_;
  std::unique_ptr<cloud::SimulatedLabeller> labeller_;
  std::unique_ptr<link::Transport> cloud_transport_;
  std::unique_ptr<Fleet> fleet_;
  std::unique_ptr<cloud::Service> service_;
  std::unique_ptr<Judge> judge_;
  LoopResult result_;
  int64_t retrainings_ = 0;
  int64_t gate_refusals_ = 0;
  int64_t stored_before_ = 0;
  int64_t bytes_before_ = 0;
  size_t events_before_ = 0;
};

}  // namespace

LoopResult run_loop(const LoopOptions& options,
                    const std::filesystem::path& folder,
                    jobs::Executor& executor,
                    const jobs::StageCache& cache) {
  const core::Stopwatch watch;
  Stages stages(executor, cache, static_cast<uint64_t>(options.seed));
  LoopResult result = ClosedLoop(options, folder, stages).run();
  result.figures["wall_seconds"] = watch.seconds();
  return result;
}

}  // namespace coppice::loop
