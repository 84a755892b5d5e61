#pragma once

#include <map>
#include <string>
#include <string_view>

namespace coppice::jobs {

/// "Intel(R) Xeon(R) Platinum 8480+", from the text of /proc/cpuinfo; "unknown" where it names
/// none.
std::string cpu_model(std::string_view cpuinfo);

/// Whether OpenBLAS 0.3.21 (Debian 12) runs its AVX2 kernels on a machine that has AVX-512: it
/// knows CPUs by their model number, and newer ones not at all.
bool openblas_misjudges(std::string_view cpuinfo);

/// Whether the CPU multiplies bfloat16 itself: AVX-512 BF16, AMX, or Arm's BF16.
bool multiplies_bfloat16(std::string_view cpuinfo);
bool multiplies_bfloat16();  ///< this machine's

/// What a job's process needs in its environment on this machine, less what the user has set.
std::map<std::string, std::string> job_environment();

/// host, cpu, kernel, libraries of this process: for provenance.
std::map<std::string, std::string> describe_machine();

}  // namespace coppice::jobs
