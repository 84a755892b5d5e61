#include "recipe/train_family.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "recipe/check.h"

namespace coppice::recipe {

namespace {

[[noreturn]] void refuse_family(const std::string& field, const std::string& why) {
  throw core::Error(core::ErrorKind::InvalidArgument, field + ": " + why);
}

bool names_a_folder(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

void check_members(const std::vector<FamilyMember>& members) {
  if (members.size() < 2) {
    refuse_family("members", fmt::format("{} given, a family has two or more", members.size()));
  }
  std::set<std::string> names;
  for (size_t i = 0; i < members.size(); ++i) {
    const std::string field = fmt::format("members.{}.name", i);
    const std::string& name = members[i].name;
    if (!names_a_folder(name)) {
      refuse_family(field,
                    fmt::format("'{}' names a folder: use letters, digits, '-' and '_'", name));
    }
    if (!names.insert(name).second) {
      refuse_family(field, fmt::format("two members are called '{}'", name));
    }
  }
}

}  // namespace

void FamilyMember::visit(core::Fields& f) {
  f.field("name", name, {.help = "of the member and its folder", .required = true});
  f.group("model", model, "network to build");
}

void TrainFamilyJob::visit(core::Fields& f) {
  f.field("learn_from",
          learn_from,
          {.help = "whose logits teach, besides labels: the first member's the others, or all each "
                   "other",
           .choices = {"first", "each_other"}});
  f.list("members", members, "networks that train together");
  f.group("train", train, "how, on the same batches; distil weighs labels and each other");
}

void check(const TrainFamilyJob& job, const data::Schema& schema) {
  check_members(job.members);
  const DistilOptions& distil = job.train.distil;
  if (task_of(job.train.task, schema) != "classification") {
    refuse_family("train.task.name", "members teach each other classes; train others one by one");
  }
  if (!distil.hints.empty()) {
    refuse_family("train.distil.hints", "members learn from logits; leave hints out");
  }
  if (distil.self || distil.on != "all" || distil.method == "none") {
    refuse_family("train.distil",
                  "members learn from each other's logits on all samples; leave out self, on and "
                  "method 'none'");
  }
  try {
    check(job.train, schema);
  } catch (const core::Error& error) {
    throw core::Error(error.kind(), std::string("train.") + error.what());
  }
}

}  // namespace coppice::recipe
