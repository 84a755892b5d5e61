#include "jobs/machine.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace coppice::jobs {
namespace {

std::string cpuinfo(const std::string& vendor, int family, int model, const std::string& flags) {
  return "processor\t: 0\nvendor_id\t: " + vendor + "\ncpu family\t: " + std::to_string(family) +
         "\nmodel\t\t: " + std::to_string(model) +
         "\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu " + flags +
         "\n\nprocessor\t: 1\nmodel\t\t: 1\n";
}

const std::string kAvx512 = "avx2 avx512f avx512dq avx512cd avx512bw avx512vl sse";

TEST(Machine, OpenBlasMisjudgesNewCpusWithAvx512) {
  EXPECT_TRUE(openblas_misjudges(cpuinfo("GenuineIntel", 6, 207, kAvx512)));  // Emerald Rapids
  EXPECT_TRUE(openblas_misjudges(cpuinfo("AuthenticAMD", 25, 17, kAvx512)));  // Zen 4
  EXPECT_TRUE(
      openblas_misjudges(cpuinfo("AuthenticAMD", 25, 0x55, kAvx512)));  // not Skylake's 0x55
}

TEST(Machine, OpenBlasKnowsOlderOnes) {
  EXPECT_FALSE(openblas_misjudges(cpuinfo("GenuineIntel", 6, 0x55, kAvx512)));
  EXPECT_FALSE(openblas_misjudges(cpuinfo("GenuineIntel", 6, 0x6a, kAvx512)));
}

TEST(Machine, WithoutAvx512NothingIsForced) {
  EXPECT_FALSE(openblas_misjudges(cpuinfo("GenuineIntel", 6, 207, "avx2")));
  EXPECT_FALSE(
      openblas_misjudges(cpuinfo("GenuineIntel", 6, 207, "avx512f avx512cd")));  // Xeon Phi
  EXPECT_FALSE(openblas_misjudges(""));
  EXPECT_FALSE(openblas_misjudges("processor: 0\nFeatures: fp asimd\n"));
}

TEST(Machine, KnowsWhoMultipliesBfloat16) {
  EXPECT_TRUE(multiplies_bfloat16(cpuinfo("GenuineIntel", 6, 207, kAvx512 + " avx512_bf16")));
  EXPECT_TRUE(multiplies_bfloat16(cpuinfo("GenuineIntel", 6, 207, "amx_tile amx_bf16")));
  EXPECT_TRUE(multiplies_bfloat16("processor\t: 0\nFeatures\t: fp asimd bf16 i8mm\n"));
  EXPECT_FALSE(multiplies_bfloat16(cpuinfo("GenuineIntel", 6, 0x55, kAvx512)));
  EXPECT_FALSE(multiplies_bfloat16(""));
}

TEST(Machine, NamesTheCpu) {
  EXPECT_EQ(cpu_model(cpuinfo("GenuineIntel", 6, 207, "")), "Some CPU @ 2 GHz");
  EXPECT_EQ(cpu_model(""), "unknown");
}

TEST(Machine, TheUsersSettingsStay) {
  ::unsetenv("OMP_WAIT_POLICY");
  EXPECT_EQ(job_environment().at("OMP_WAIT_POLICY"), "passive");
  ::setenv("OMP_WAIT_POLICY", "active", 1);
  ::setenv("OPENBLAS_CORETYPE", "Haswell", 1);
  const auto environment = job_environment();
  EXPECT_FALSE(environment.contains("OMP_WAIT_POLICY"));
  EXPECT_FALSE(environment.contains("OPENBLAS_CORETYPE"));
  EXPECT_TRUE(environment.contains("GOMP_SPINCOUNT"));
  ::unsetenv("OMP_WAIT_POLICY");
  ::unsetenv("OPENBLAS_CORETYPE");
}

}  // namespace
}  // namespace coppice::jobs
