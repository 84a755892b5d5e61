#include "loop/stage_options.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "compress/prune_schedule.h"
#include "core/config.h"
#include "core/error.h"

namespace coppice::loop {

namespace {

constexpr StageKind kStageKinds[] = {
    {.name = "train",
     .job = "train",
     .help = "train the network, or a new one; with a teacher: distil",
     .data = StageData::Training,
     .visit = [](StageOptions& s, core::Fields& f) { s.train.visit(f); },
     .job_options =
         [](const StageOptions& s) {
           return core::dump_options(recipe::TrainJob{s.train.model, s.train.train});
         }},
    {.name = "train_family",
     .job = "train_family",
     .help = "train new networks of several sizes together, the first teaching the others",
     .data = StageData::Training,
     .family = true,
     .visit = [](StageOptions& s, core::Fields& f) { s.family.visit(f); },
     .job_options =
         [](const StageOptions& s) {
           return core::dump_options(s.family);
         }},
    {.name = "prune",
     .job = "prune",
     .help = "cut whole channels until a budget is met",
     .reshapes = true,
     .visit =
         [](StageOptions& s, core::Fields& f) {
           s.prune.visit(f);
           s.recovers = s.recovers || f.is_given("recovery");
           if (s.recovers || s.prune.schedule.steps > 1 || f.wants_every_field()) {
             f.group("recovery", s.recovery, "training after every step of the schedule");
           }
         },
     .job_options =
         [](const StageOptions& s) {
           return core::dump_options(s.prune);
         }},
    {.name = "quantise",
     .job = "quantise",
     .help = "int8 by calibration on training samples",
     .data = StageData::Calibration,
     .gives_int8 = true,
     .visit = [](StageOptions& s, core::Fields& f) { s.quantise.visit(f); },
     .job_options =
         [](const StageOptions& s) {
           return core::dump_options(s.quantise);
         }},
    {.name = "low_rank",
     .job = "low_rank",
     .help = "factor layers into smaller ones",
     .reshapes = true,
     .visit = [](StageOptions& s, core::Fields& f) { s.low_rank.visit(f); },
     .job_options =
         [](const StageOptions& s) {
           return core::dump_options(s.low_rank);
         }},
    {.name = "sparsify",
     .job = "sparsify",
     .help = "zeros in place of the smallest weights: fewer bytes to transfer, no speed",
     .visit = [](StageOptions& s, core::Fields& f) { s.sparsify.visit(f); },
     .job_options =
         [](const StageOptions& s) {
           return core::dump_options(s.sparsify);
         }},
    {.name = "share",
     .job = "share",
     .help = "few different weights a layer: fewer bytes to transfer, no speed",
     .visit = [](StageOptions& s, core::Fields& f) { s.share.visit(f); },
     .job_options =
         [](const StageOptions& s) {
           return core::dump_options(s.share);
         }},
    {.name = "encode",
     .job = "encode",
     .help = "code the model as few bytes to transfer",
     .takes_int8 = true,
     .visit = [](StageOptions& /*s*/, core::Fields& /*f*/) {},
     .job_options =
         [](const StageOptions& /*s*/) {
           return std::string();
         }},
    {.name = "class_bias",
     .job = "class_bias",
     .help = "move the biases of classes that training has not seen",
     .data = StageData::Validation,
     .visit = [](StageOptions& s, core::Fields& f) { s.class_bias.visit(f); },
     .job_options =
         [](const StageOptions& s) {
           return core::dump_options(s.class_bias);
         }},
};

/// What stands behind the key of a stage.
struct StageFields {
  StageOptions& stage;
  const StageKind& kind;

  void visit(core::Fields& f) {
    f.field("name", stage.name, {.help = "for later stages and figures; default: the kind"});
    if (!kind.family) {
      f.field("from",
              stage.from,
              {.help = "earlier stage, or member of a family, whose model it reads; default: the "
                       "one before; 'model': the experiment's own"});
    }
    kind.visit(stage, f);
  }
};

/// Registers a key whose options nobody reads.
struct UnreadFields {
  void visit(core::Fields&) {}
};

}  // namespace

std::span<const StageKind> stage_kinds() {
  return kStageKinds;
}

const StageKind& stage_kind(std::string_view name) {
  for (const StageKind& kind : stage_kinds()) {
    if (kind.name == name) {
      return kind;
    }
  }
  std::vector<std::string> names;
  for (const StageKind& kind : stage_kinds()) {
    names.emplace_back(kind.name);
  }
  throw core::Error(
      core::ErrorKind::NotFound,
      fmt::format("unknown kind of stage '{}'{}", name, core::did_you_mean(name, names)));
}

std::vector<std::string> TrainStage::teachers() const {
  std::vector<std::string> all = more_teachers;
  if (!teacher.empty()) {
    all.insert(all.begin(), teacher);
  }
  return all;
}

void TrainStage::visit(core::Fields& f) {
  builds = builds || f.is_given("model");
  if (builds || f.wants_every_field()) {
    f.group("model", model, "a new network, in place of the model of the stage before");
  }
  f.field("teacher", teacher, {.help = "earlier stage, or ONNX file, to distil from"});
  f.field("more_teachers", more_teachers, {.help = "more of them, where there is a teacher"});
  f.field(
      "without_classes", without_classes, {.help = "classes whose training samples are left out"});
  train.visit(f);
}

void ClassBiasStage::visit(core::Fields& f) {
  f.field("classes",
          classes,
          {.help = "names of classes; each bias moves by what gives the fewest errors on held-out "
                   "data"});
}

bool StageOptions::is_family() const {
  return !kind.empty() && stage_kind(kind).family;
}

bool StageOptions::builds() const {
  return train.builds || is_family();
}

std::vector<std::string> StageOptions::models() const {
  if (!is_family()) {
    return {name};
  }
  std::vector<std::string> names;
  for (const recipe::FamilyMember& member : family.members) {
    names.push_back(member.name);
  }
  return names;
}

void StageOptions::visit(core::Fields& f) {
  for (const StageKind& known : stage_kinds()) {
    if (f.is_given(known.name) && known.name != kind) {
      (kind.empty() ? kind : also) = known.name;
    }
  }
  for (const StageKind& known : stage_kinds()) {
    if (known.name == kind || f.wants_every_field()) {
      StageFields fields{*this, known};
      f.group(known.name, fields, known.help);
    } else if (kind.empty() || known.name == also) {
      UnreadFields unread;  // a misspelt key is told the nearest of these
      f.group(known.name, unread, known.help);
    }
  }
}

std::vector<StagePart> parts_of(const StageOptions& stage) {
  if (stage.kind != "prune" || stage.prune.schedule.steps <= 1) {
    StagePart whole{stage};
    if (stage_kind(stage.kind).reshapes) {
      whole.shape = stage.name;
    }
    return {whole};
  }
  std::vector<StagePart> parts;
  std::string from = stage.from;
  const std::vector<compress::PruneOptions> targets = compress::targets_of(stage.prune);
  for (size_t i = 0; i < targets.size(); ++i) {
    const bool last = i + 1 == targets.size();
    StageOptions cut;
    cut.kind = "prune";
    cut.name = fmt::format("{}-cut-{}", stage.name, i + 1);
    cut.from = from;
    cut.prune = targets[i];
    StageOptions recovery;
    recovery.kind = "train";
    recovery.name = last ? stage.name : fmt::format("{}-{}", stage.name, i + 1);
    recovery.from = cut.name;
    recovery.train = stage.recovery;
    from = recovery.name;
    const std::string shape = last ? stage.name : "";
    parts.push_back({cut, stage.from, shape});
    parts.push_back({recovery, "", shape});
  }
  return parts;
}

void name_stages(std::vector<StageOptions>& stages) {
  std::set<std::string> taken{std::string(kModelStage)};
  for (const StageOptions& stage : stages) {
    taken.insert(stage.name);
  }
  std::string before(kModelStage);
  for (StageOptions& stage : stages) {
    for (int64_t number = 1; stage.name.empty(); ++number) {
      const std::string candidate =
          number == 1 ? stage.kind : fmt::format("{}-{}", stage.kind, number);
      if (candidate.empty()) {
        break;  // an entry without a kind, which check() refuses
      }
      if (taken.insert(candidate).second) {
        stage.name = candidate;
      }
    }
    if (stage.from.empty() && !stage.builds()) {
      stage.from = before;
    }
    before = stage.name;
  }
}

}  // namespace coppice::loop
