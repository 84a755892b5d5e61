#include "train/teacher.h"

#include <algorithm>
#include <numeric>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "core/error.h"
#include "graph/pass.h"
#include "train/batch_tensors.h"
#include "train/check_model.h"
#include "train/loader.h"
#include "train/weight_average.h"

namespace coppice::train {

namespace {

constexpr const char* kSelf = "self";

at::Tensor rows_of(const at::Tensor& logits, const std::vector<int64_t>& positions) {
  return logits.index_select(0, positions_of(positions).to(logits.device()));
}

/// One network and what is known of it ahead.
struct Member {
  std::string name;
  Network network;
  std::vector<std::string> hinted;  ///< nodes
  bool precomputed = false;
  at::Tensor train_logits = {};
  at::Tensor replay_logits = {};

  at::Tensor logits_of(const data::Dataset& dataset) {
    constexpr int64_t kBatchSize = 500;
    std::vector<at::Tensor> parts;
    data::Batch batch;
    for (int64_t first = 0; first < dataset.size(); first += kBatchSize) {
      std::vector<int64_t> indices(
          static_cast<size_t>(std::min(kBatchSize, dataset.size() - first)));
      std::iota(indices.begin(), indices.end(), first);
      dataset.read(indices, batch);
      parts.push_back(network.logits(samples_of(batch, dataset.schema())));
    }
    return at::cat(parts);
  }

  at::Tensor known_logits(const LoadedBatch& batch, bool replayed_only) const {
    std::vector<at::Tensor> parts;
    if (!replayed_only) {
      parts.push_back(rows_of(train_logits, batch.train_positions));
    }
    if (!batch.replay_positions.empty()) {
      parts.push_back(rows_of(replay_logits, batch.replay_positions));
    }
    return at::cat(parts);
  }
};

std::vector<std::string> nodes_hinted(const recipe::DistilOptions& options,
                                      const std::string& teacher) {
  std::vector<std::string> nodes;
  for (const recipe::HintOptions& hint : options.hints) {
    if (hint.of == teacher && std::ranges::count(nodes, hint.teacher) == 0) {
      nodes.push_back(hint.teacher);
    }
  }
  return nodes;
}

Member make_member(const std::string& name,
                   const graph::Model& model,
                   const recipe::DistilOptions& options,
                   at::Device device) {
  std::vector<std::string> hinted = nodes_hinted(options, name);
  // Folding takes nodes away that a hint may name, and weights that an average has.
  const bool whole = !hinted.empty() || name == kSelf;
  return {.name = name,
          .network = Network(whole ? model : graph::run_passes(model, graph::inference_passes()),
                             Precision::Single,
                             device),
          .hinted = std::move(hinted)};
}

}  // namespace

struct Teacher::State {
  data::Schema schema;
  std::vector<Member> members = {};
};

Teacher::Teacher(const graph::Model& model, const data::Schema& schema, at::Device device)
    : Teacher({{"teacher", model}}, {}, schema, {}, device) {}

Teacher::Teacher(const TeacherModels& models,
                 const graph::Model& student,
                 const data::Schema& schema,
                 const recipe::DistilOptions& options,
                 at::Device device)
    : state_(std::make_unique<State>(State{.schema = schema})) {
  recipe::TeacherGraphs whole;
  for (const auto& [name, model] : models) {
    check_model_fits(model, schema, name);
    whole[name] = &model.graph;
  }
  if (options.self) {
    whole[kSelf] = &student.graph;
  }
  if (!options.teacher_weights.empty() && options.teacher_weights.size() != whole.size()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("distil.teacher_weights: {} weights for {} teachers",
                                  options.teacher_weights.size(),
                                  whole.size()));
  }
  if (!options.hints.empty()) {
    recipe::check_hints(options, student.graph, whole);
  }
  for (const auto& [name, model] : models) {
    state_->members.push_back(make_member(name, model, options, device));
  }
  if (options.self) {
    state_->members.push_back(make_member(kSelf, student, options, device));
  }
}

Teacher::~Teacher() = default;

size_t Teacher::size() const {
  return state_->members.size();
}

recipe::TeacherGraphs Teacher::graphs() const {
  recipe::TeacherGraphs graphs;
  for (const Member& member : state_->members) {
    graphs[member.name] = &member.network.graph();
  }
  return graphs;
}

size_t Teacher::index(const std::string& name) const {
  const auto& members = state_->members;
  const auto found = std::ranges::find(members, name, &Member::name);
  COPPICE_CHECK(found != members.end(), "a hint names a teacher that check_hints refuses");
  return static_cast<size_t>(found - members.begin());
}

void Teacher::precompute(const data::Dataset* train, const data::Dataset* replay) {
  const at::NoGradGuard no_grad;
  for (Member& member : state_->members) {
    if (member.name == kSelf) {
      continue;
    }
    member.precomputed = true;
    if (train != nullptr) {
      member.train_logits = member.logits_of(*train);
    }
    if (replay != nullptr) {
      member.replay_logits = member.logits_of(*replay);
    }
  }
}

std::vector<Answer> Teacher::answers(const LoadedBatch& batch, bool replayed_only) {
  const at::NoGradGuard no_grad;
  at::Tensor samples = samples_of(batch.batch, state_->schema);
  if (replayed_only) {
    const auto fresh = static_cast<int64_t>(batch.train_positions.size());
    samples = samples.narrow(0, fresh, batch.batch.size - fresh);
  }
  std::vector<Answer> answers;
  for (Member& member : state_->members) {
    if (member.precomputed) {
      answers.push_back({member.known_logits(batch, replayed_only), {}});
      continue;
    }
    Answer& answer = answers.emplace_back();
    answer.nodes = member.network.forward(samples, {.keep = member.hinted});
    answer.logits = answer.nodes.at(member.network.graph().outputs.front());
  }
  return answers;
}

void Teacher::follow(const NamedTensors& average) {
  Member& own = state_->members.back();
  COPPICE_CHECK(own.name == kSelf, "only the student's own average changes");
  set_weights(own.network, average);
}

}  // namespace coppice::train
