#include "recipe/check_distil.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"

namespace coppice::recipe {

namespace {

[[noreturn]] void refuse_hint(size_t hint, std::string_view field, const std::string& why) {
  throw core::Error(core::ErrorKind::InvalidArgument,
                    fmt::format("distil.hints.{}.{}: {}", hint, field, why));
}

const graph::Node& node_of(const graph::Graph& graph,
                           const std::string& name,
                           size_t hint,
                           std::string_view role) {
  if (const graph::Node* node = graph.find(name)) {
    return *node;
  }
  std::vector<std::string> names;
  for (const graph::Node& node : graph.nodes) {
    names.push_back(node.name);
  }
  throw core::Error(core::ErrorKind::NotFound,
                    fmt::format("distil.hints.{}.{}: the {}'s graph has no node '{}'{}; it has {}",
                                hint,
                                role,
                                role,
                                name,
                                core::did_you_mean(name, names),
                                fmt::join(names, ", ")));
}

void check_number(const graph::Node& node, size_t hint, std::string_view field) {
  if (node.op == graph::Op::Input || node.dtype != graph::DType::F32 || node.shape.size() < 2) {
    refuse_hint(hint,
                field,
                fmt::format("'{}' holds {} {}; name a node of real values for each sample",
                            node.name,
                            graph::to_string(node.dtype),
                            graph::to_string(node.shape)));
  }
}

std::string both(const graph::Node& student, const graph::Node& teacher) {
  return fmt::format("the student's '{}' is {}, the teacher's '{}' is {}",
                     student.name,
                     graph::to_string(student.shape),
                     teacher.name,
                     graph::to_string(teacher.shape));
}

void check_shapes(const HintOptions& options,
                  size_t hint,
                  const graph::Node& student,
                  const graph::Node& teacher) {
  const size_t rank = student.shape.size();
  if (options.method == "fitnets") {
    const bool layered = rank == 2 || rank == 4;
    const bool alike =
        rank == teacher.shape.size() &&
        std::equal(student.shape.begin() + 2, student.shape.end(), teacher.shape.begin() + 2);
    if (!layered || !alike) {
      refuse_hint(hint,
                  "student",
                  both(student, teacher) +
                      "; fitnets learns a layer from channels to channels, of vectors or of images "
                      "of one height and width: name such nodes, or use rkd, similarity or pkt");
    }
  }
  if (options.method == "attention" && (rank < 3 || rank > 4 || rank != teacher.shape.size())) {
    refuse_hint(hint,
                "student",
                both(student, teacher) +
                    "; attention needs positions in both, as in [n, channels, height, width]: name "
                    "nodes before pooling and flattening, or use rkd, similarity or pkt");
  }
}

}  // namespace

void check_hints(const DistilOptions& options,
                 const graph::Graph& student,
                 const TeacherGraphs& teachers) {
  std::vector<std::string> roles;
  for (const auto& [role, graph] : teachers) {
    roles.push_back(role);
  }
  for (size_t i = 0; i < options.hints.size(); ++i) {
    const HintOptions& hint = options.hints[i];
    const auto teacher = teachers.find(hint.of);
    if (teacher == teachers.end()) {
      throw core::Error(core::ErrorKind::NotFound,
                        fmt::format("distil.hints.{}.of: there is no teacher '{}'{}; there is {}",
                                    i,
                                    hint.of,
                                    core::did_you_mean(hint.of, roles),
                                    roles.empty() ? "none: give the job an input 'teacher'"
                                                  : fmt::format("{}", fmt::join(roles, ", "))));
    }
    const graph::Node& theirs = node_of(*teacher->second, hint.teacher, i, "teacher");
    const graph::Node& ours = node_of(student, hint.student, i, "student");
    check_number(theirs, i, "teacher");
    check_number(ours, i, "student");
    check_shapes(hint, i, ours, theirs);
  }
}

void check_distil(const DistilOptions& options, bool averages) {
  const auto refuse = [](const std::string& why) {
    throw core::Error(core::ErrorKind::InvalidArgument, "distil." + why);
  };
  if (options.self && !averages) {
    refuse("self: the student's moving average is to teach it; set ema_decay");
  }
  const auto& weights = options.teacher_weights;
  if (!weights.empty() && std::accumulate(weights.begin(), weights.end(), 0.0) <= 0) {
    refuse("teacher_weights: all are 0");
  }
  const bool targets = options.method != "none";
  if (options.alpha >= 1 && !targets && options.hints.empty()) {
    refuse(
        "alpha: 1 leaves labels out, method 'none' targets: nothing is left to learn; name hints");
  }
}

}  // namespace coppice::recipe
