#include "coppice/report_compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "monitor/running.h"

namespace coppice::tools {

namespace {

constexpr std::array<const char*, 6> kMainMetrics{
    "accuracy", "rmse", "auroc", "reconstruction_error", "loop_accuracy", "loss"};
constexpr const char* kAbsent = "–";

std::string letter_of(size_t group) {
  std::string letter(1, static_cast<char>('A' + group % 26));
  return group < 26 ? letter : letter_of(group / 26 - 1) + letter;
}

/// What a run is but for chance: its fields without the seed and its own name.
std::map<std::string, std::string> identity_of(const Run& run,
                                               const std::vector<std::string>& ignored) {
  std::map<std::string, std::string> fields = run.config;
  fields.erase("seed");
  fields.erase("name");
  for (const std::string& field : ignored) {
    std::erase_if(fields, [&](const auto& entry) {
      return entry.first == field || entry.first.starts_with(field + ".");
    });
  }
  return fields;
}

void check_ignored(const std::vector<Run>& runs, const std::vector<std::string>& ignored) {
  std::set<std::string> fields;
  for (const Run& run : runs) {
    for (const auto& [field, value] : run.config) {
      for (size_t end = 0; end != std::string::npos;) {  // groups of fields may be named too
        end = field.find('.', end + 1);
        fields.insert(field.substr(0, end));
      }
    }
  }
  for (const std::string& field : ignored) {
    if (!fields.contains(field)) {
      throw core::Error(core::ErrorKind::NotFound,
                        fmt::format("no run's configuration has the field '{}'{}",
                                    field,
                                    core::did_you_mean(field, fields)));
    }
  }
}

using Identity = std::map<std::string, std::string>;

std::vector<std::string> differing_fields(const std::vector<Identity>& identities) {
  std::set<std::string> all;
  for (const Identity& one : identities) {
    for (const auto& [field, value] : one) {
      all.insert(field);
    }
  }
  std::vector<std::string> differing;
  for (const std::string& field : all) {
    const auto value = [&](const Identity& one) {
      const auto found = one.find(field);
      return found == one.end() ? std::string(kAbsent) : found->second;
    };
    if (std::any_of(identities.begin(), identities.end(), [&](const Identity& one) {
          return value(one) != value(identities.front());
        })) {
      differing.push_back(field);
    }
  }
  return differing;
}

/// The last words of a path that tell it from the other fields: "learning_rate".
std::string short_name(const std::string& field, const std::vector<std::string>& fields) {
  for (size_t at = field.rfind('.'); at != std::string::npos && at > 0;
       at = field.rfind('.', at - 1)) {
    const std::string tail = field.substr(at);
    const auto shared = std::count_if(fields.begin(), fields.end(), [&](const std::string& other) {
      return other.ends_with(tail) || "." + other == tail;
    });
    if (shared == 1) {
      return tail.substr(1);
    }
  }
  return field;
}

void group_runs(Comparison& result, const std::vector<std::string>& ignored) {
  std::vector<Identity> identities;
  for (size_t i = 0; i < result.runs.size(); ++i) {
    const Identity identity = identity_of(result.runs[i], ignored);
    const auto known = std::find(identities.begin(), identities.end(), identity);
    const auto group = static_cast<size_t>(known - identities.begin());
    if (known == identities.end()) {
      identities.push_back(identity);
      result.groups.push_back({letter_of(group), {}, {}, {}});
    }
    result.groups[group].runs.push_back(i);
  }
  result.fields = differing_fields(identities);
  for (size_t g = 0; g < result.groups.size(); ++g) {
    RunGroup& group = result.groups[g];
    for (const std::string& field : result.fields) {
      const auto found = identities[g].find(field);
      group.values.push_back(found == identities[g].end() ? kAbsent : found->second);
      group.label += fmt::format("{}{}={}",
                                 group.label.empty() ? "" : ", ",
                                 short_name(field, result.fields),
                                 group.values.back());
    }
  }
}

std::set<std::string> figure_names(const std::vector<Run>& runs) {
  std::set<std::string> names;
  for (const Run& run : runs) {
    for (const auto& [name, value] : run.figures) {
      names.insert(name);
    }
  }
  return names;
}

void choose_metrics(Comparison& result, const std::vector<std::string>& wanted) {
  const std::set<std::string> names = figure_names(result.runs);
  for (const std::string& name : names) {
    if (name.find('.') == std::string::npos) {
      result.figures.push_back(name);
    }
  }
  for (const std::string& metric : wanted) {
    if (!names.contains(metric)) {
      throw core::Error(core::ErrorKind::NotFound,
                        fmt::format("no run has the figure '{}'{}: there are {}",
                                    metric,
                                    core::did_you_mean(metric, names),
                                    fmt::join(result.figures, ", ")));
    }
    if (std::find(result.figures.begin(), result.figures.end(), metric) == result.figures.end()) {
      result.figures.push_back(metric);
    }
  }
  result.metrics = wanted;
  for (const char* metric : kMainMetrics) {
    if (result.metrics.empty() && names.contains(metric)) {
      result.metrics.emplace_back(metric);
    }
  }
}

/// By seed, the mean over a group's runs with that seed.
std::map<std::string, double> by_seed(const Comparison& comparison,
                                      size_t group,
                                      const std::string& metric) {
  std::map<std::string, monitor::RunningStatistics> values;
  for (const size_t r : comparison.groups[group].runs) {
    const Run& run = comparison.runs[r];
    const auto found = run.figures.find(metric);
    if (found != run.figures.end() && !run.seed.empty()) {
      values[run.seed].add(found->second);
    }
  }
  std::map<std::string, double> means;
  for (const auto& [seed, statistics] : values) {
    means[seed] = statistics.mean();
  }
  return means;
}

GroupPair pair_of(const Comparison& comparison,
                  size_t first,
                  size_t second,
                  const std::string& metric) {
  GroupPair pair{.first = first, .second = second, .seeds = {}, .tests = {}};
  const auto before = by_seed(comparison, first, metric);
  const auto after = by_seed(comparison, second, metric);
  std::vector<double> a;
  std::vector<double> b;
  for (const auto& [seed, value] : before) {
    if (const auto same = after.find(seed); same != after.end()) {
      pair.seeds.push_back(seed);
      a.push_back(value);
      b.push_back(same->second);
    }
  }
  if (a.size() >= 2) {
    pair.tests = monitor::paired_tests(a, b);
  }
  return pair;
}

void correct(std::vector<GroupPair>& pairs) {
  std::vector<GroupPair*> tested;
  std::vector<double> t;
  std::vector<double> wilcoxon;
  for (GroupPair& pair : pairs) {
    if (pair.tests) {
      tested.push_back(&pair);
      t.push_back(pair.tests->t_p);
      wilcoxon.push_back(pair.tests->wilcoxon_p);
    }
  }
  t = monitor::holm(t);
  wilcoxon = monitor::holm(wilcoxon);
  for (size_t i = 0; i < tested.size(); ++i) {
    tested[i]->t_holm = t[i];
    tested[i]->wilcoxon_holm = wilcoxon[i];
  }
}

size_t baseline_group(const Comparison& comparison, const std::string& baseline) {
  for (size_t g = 0; g < comparison.groups.size(); ++g) {
    for (const size_t r : comparison.groups[g].runs) {
      std::error_code unknown;
      if (std::filesystem::equivalent(comparison.runs[r].folder, baseline, unknown)) {
        return g;
      }
    }
  }
  throw core::Error(
      core::ErrorKind::NotFound,
      fmt::format("the baseline '{}' is none of the runs compared; name the folder of one of them",
                  baseline));
}

void test_pairs(Comparison& result, const std::string& baseline) {
  std::vector<std::pair<size_t, size_t>> chosen;
  if (!baseline.empty()) {
    const size_t base = baseline_group(result, baseline);
    for (size_t g = 0; g < result.groups.size(); ++g) {
      if (g != base) {
        chosen.emplace_back(base, g);
      }
    }
  } else {
    for (size_t a = 0; a < result.groups.size(); ++a) {
      for (size_t b = a + 1; b < result.groups.size(); ++b) {
        chosen.emplace_back(a, b);
      }
    }
  }
  for (const std::string& metric : result.metrics) {
    auto& pairs = result.pairs[metric];
    for (const auto& [a, b] : chosen) {
      pairs.push_back(pair_of(result, a, b, metric));
    }
    correct(pairs);
  }
}

void add_remarks(Comparison& result, const FoundRuns& found) {
  if (!found.unfinished.empty()) {
    std::vector<std::string> names;
    for (const auto& folder : found.unfinished) {
      names.push_back(folder.filename().string());
    }
    result.remarks.push_back(fmt::format("{} unfinished run{} left out: {}",
                                         names.size(),
                                         names.size() == 1 ? " is" : "s are",
                                         fmt::join(names, ", ")));
  }
  std::set<std::string> kinds;
  for (const Run& run : result.runs) {
    kinds.insert(run.kind);
  }
  if (kinds.size() > 1) {
    result.remarks.push_back(
        fmt::format("the runs are of different kinds ({}): a figure of the same name may mean "
                    "something else",
                    fmt::join(kinds, ", ")));
  }
  for (const RunGroup& group : result.groups) {
    std::set<std::string> seeds;
    for (const size_t r : group.runs) {
      if (!seeds.insert(result.runs[r].seed).second) {
        result.remarks.push_back(
            fmt::format("configuration {} has several runs of seed {}: tests use their mean",
                        group.letter,
                        result.runs[r].seed));
        break;
      }
    }
  }
}

}  // namespace

Spread Comparison::spread(size_t group, const std::string& figure) const {
  monitor::RunningStatistics statistics;
  for (const size_t r : groups.at(group).runs) {
    if (const auto found = runs[r].figures.find(figure); found != runs[r].figures.end()) {
      statistics.add(found->second);
    }
  }
  return {statistics.count(), statistics.mean(), std::sqrt(statistics.variance())};
}

Comparison compare_runs(FoundRuns found, const CompareOptions& options) {
  if (found.runs.size() < 2) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("there {} to compare; name at least two run directories, or a folder of them",
                    found.runs.empty() ? "is no finished run" : "is only one finished run"));
  }
  Comparison result;
  result.runs = std::move(found.runs);
  check_ignored(result.runs, options.ignored);
  group_runs(result, options.ignored);
  choose_metrics(result, options.metrics);
  test_pairs(result, options.baseline);
  add_remarks(result, found);
  return result;
}

}  // namespace coppice::tools
