#include "train/ranks/placement.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"

extern "C" char** environ;

namespace coppice::train {

namespace {

using Environment = std::map<std::string, std::string>;

constexpr int64_t kMostRanks = 65536;
constexpr int64_t kLongestPatience = 86400;

std::optional<int64_t> read_number(const Environment& environment,
                                   const std::string& name,
                                   int64_t least,
                                   int64_t most) {
  const auto found = environment.find(name);
  if (found == environment.end()) {
    return std::nullopt;
  }
  const std::string& text = found->second;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    throw core::Error(core::ErrorKind::Config,
                      fmt::format("the environment's {}='{}' is no number from {} to {}; the "
                                  "program that starts the ranks sets it",
                                  name,
                                  text,
                                  least,
                                  most));
  }
  return number;
}

/// Of a variable that is there because another one is.
[[noreturn]] void refuse_without(const std::string& name, const std::string& because) {
  throw core::Error(core::ErrorKind::Config,
                    fmt::format("the environment has {} but not {}: set both, or neither to run "
                                "as one process",
                                because,
                                name));
}

std::string text_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

void check_rank(const Placement& placement, const std::string& rank, const std::string& ranks) {
  if (placement.rank >= placement.ranks) {
    throw core::Error(core::ErrorKind::Config,
                      fmt::format("the environment's {}={} is not below {}={}",
                                  rank,
                                  placement.rank,
                                  ranks,
                                  placement.ranks));
  }
}

Placement of_launcher(const Environment& environment) {
  const auto rank = read_number(environment, "RANK", 0, kMostRanks - 1);
  const auto ranks = read_number(environment, "WORLD_SIZE", 1, kMostRanks);
  if (!rank) {
    refuse_without("RANK", "WORLD_SIZE");
  }
  if (!ranks) {
    refuse_without("WORLD_SIZE", "RANK");
  }
  Placement placement{.rank = *rank, .ranks = *ranks};
  check_rank(placement, "RANK", "WORLD_SIZE");
  if (placement.alone()) {
    return {};
  }
  placement.host = text_of(environment, "MASTER_ADDR");
  if (placement.host.empty()) {
    refuse_without("MASTER_ADDR", "WORLD_SIZE");
  }
  const auto port = read_number(environment, "MASTER_PORT", 1, 65535);
  if (!port) {
    refuse_without("MASTER_PORT", "WORLD_SIZE");
  }
  placement.port = static_cast<uint16_t>(*port);
  placement.ranks_here = read_number(environment, "LOCAL_WORLD_SIZE", 1, kMostRanks).value_or(1);
  placement.local_rank = read_number(environment, "LOCAL_RANK", 0, kMostRanks - 1).value_or(0);
  return placement;
}

Placement of_slurm(const Environment& environment) {
  // Of a step (srun) before those of the whole job.
  const bool step = environment.contains("SLURM_STEP_NUM_TASKS");
  const std::string count = step ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS";
  Placement placement{.rank = *read_number(environment, "SLURM_PROCID", 0, kMostRanks - 1),
                      .ranks = read_number(environment, count, 1, kMostRanks).value_or(1)};
  check_rank(placement, "SLURM_PROCID", count);
  if (placement.alone()) {
    return {};
  }
  placement.host = text_of(environment, "MASTER_ADDR");
  for (const char* list : {"SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"}) {
    placement.host =
        placement.host.empty() ? first_host(text_of(environment, list)) : placement.host;
  }
  if (placement.host.empty()) {
    refuse_without("SLURM_JOB_NODELIST or MASTER_ADDR", "SLURM_PROCID");
  }
  // Above the ports of services and below those that the kernel gives out.
  const auto job =
      read_number(environment, "SLURM_JOB_ID", 0, std::numeric_limits<int64_t>::max()).value_or(0);
  placement.port = static_cast<uint16_t>(
      read_number(environment, "MASTER_PORT", 1, 65535).value_or(10000 + job % 20000));
  placement.local_rank = read_number(environment, "SLURM_LOCALID", 0, kMostRanks - 1).value_or(0);
  return placement;
}

}  // namespace

std::string first_host(std::string_view list) {
  std::string host;
  for (size_t i = 0; i < list.size() && list[i] != ','; ++i) {
    if (list[i] != '[') {
      host += list[i];
      continue;
    }
    const size_t end = std::min(list.find(']', i), list.size());
    const std::string_view numbers = list.substr(i + 1, end - i - 1);
    host += numbers.substr(0, numbers.find_first_of(",-"));
    i = end;
  }
  return host;
}

Placement placement_of(const Environment& environment) {
  const bool launched = environment.contains("RANK") || environment.contains("WORLD_SIZE");
  Placement placement = launched                               ? of_launcher(environment)
                        : environment.contains("SLURM_PROCID") ? of_slurm(environment)
                                                               : Placement{};
  placement.patience = read_number(environment, "COPPICE_JOIN_SECONDS", 1, kLongestPatience)
                           .value_or(placement.patience);
  return placement;
}

Placement placement_here() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return placement_of(environment);
}

}  // namespace coppice::train
