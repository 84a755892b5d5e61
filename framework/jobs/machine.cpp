#include "jobs/machine.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"

namespace coppice::jobs {

namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

/// The value of a key of the first processor; "" when absent.
std::string_view cpu_field(std::string_view cpuinfo, std::string_view key) {
  while (!cpuinfo.empty()) {
    const size_t end = std::min(cpuinfo.find('\n'), cpuinfo.size());
    const std::string_view line = cpuinfo.substr(0, end);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos && trim(line.substr(0, colon)) == key) {
      return trim(line.substr(colon + 1));
    }
    cpuinfo.remove_prefix(std::min(end + 1, cpuinfo.size()));
  }
  return {};
}

int cpu_number(std::string_view cpuinfo, std::string_view key) {
  const std::string_view text = cpu_field(cpuinfo, key);
  int number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool has_flags(std::string_view cpuinfo, std::initializer_list<std::string_view> wanted) {
  const std::string flags = fmt::format(" {} ", cpu_field(cpuinfo, "flags"));
  return std::all_of(wanted.begin(), wanted.end(), [&](std::string_view flag) {
    return flags.find(fmt::format(" {} ", flag)) != std::string::npos;
  });
}

std::string read_cpuinfo() {
  try {
    return core::read_text("/proc/cpuinfo");
  } catch (const core::Error&) {
    return {};  // no such file in some sandboxes: an unknown CPU then
  }
}

}  // namespace

std::string cpu_model(std::string_view cpuinfo) {
  const std::string_view name = cpu_field(cpuinfo, "model name");
  return name.empty() ? "unknown" : std::string(name);
}

bool openblas_misjudges(std::string_view cpuinfo) {
  // The sets that its SkylakeX kernels use.
  if (!has_flags(cpuinfo, {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"})) {
    return false;
  }
  // Skylake-X, Ice Lake (server, client), Tiger Lake, Sapphire Rapids, Rocket Lake.
  constexpr std::array kKnownModels = {0x55, 0x6a, 0x6c, 0x7d, 0x7e, 0x8c, 0x8d, 0x8f, 0xa7};
  const bool known =
      cpu_field(cpuinfo, "vendor_id") == "GenuineIntel" && cpu_number(cpuinfo, "cpu family") == 6 &&
      std::find(kKnownModels.begin(), kKnownModels.end(), cpu_number(cpuinfo, "model")) !=
          kKnownModels.end();
  return !known;
}

bool multiplies_bfloat16(std::string_view cpuinfo) {
  return has_flags(cpuinfo, {"avx512_bf16"}) || has_flags(cpuinfo, {"amx_bf16"}) ||
         fmt::format(" {} ", cpu_field(cpuinfo, "Features")).find(" bf16 ") != std::string::npos;
}

bool multiplies_bfloat16() {
  return multiplies_bfloat16(read_cpuinfo());
}

std::map<std::string, std::string> job_environment() {
  std::map<std::string, std::string> environment = {
      {"OMP_WAIT_POLICY", "passive"},
      {"GOMP_SPINCOUNT", "100"},
      {"OPENBLAS_THREAD_TIMEOUT", "14"},  // 2^14 cycles, of 2^26
  };
  if (openblas_misjudges(read_cpuinfo())) {
    environment["OPENBLAS_CORETYPE"] = "SkylakeX";
  }
  std::erase_if(environment,
                [](const auto& entry) { return std::getenv(entry.first.c_str()) != nullptr; });
  return environment;
}

std::map<std::string, std::string> describe_machine() {
  std::map<std::string, std::string> result = {{"cpu", cpu_model(read_cpuinfo())}};
  utsname names = {};
  if (::uname(&names) == 0) {
    result["host"] = names.nodename;
    result["system"] = fmt::format("{} {} {}", names.sysname, names.release, names.machine);
  }
  result["cores"] = std::to_string(::sysconf(_SC_NPROCESSORS_ONLN));
  return result;
}

}  // namespace coppice::jobs
