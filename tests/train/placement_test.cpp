#include "train/ranks/placement.h"

#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace coppice::train {

namespace {

using ::testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

TEST(Placement, WithoutALauncherAProcessIsAlone) {
  EXPECT_TRUE(placement_of({}).alone());
  EXPECT_TRUE(placement_of({{"HOME", "/"}, {"MASTER_ADDR", "a"}}).alone());
  EXPECT_TRUE(placement_of({{"RANK", "0"}, {"WORLD_SIZE", "1"}}).alone()) << "no port needed";
  EXPECT_TRUE(placement_of({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}}).alone());
}

TEST(Placement, ALaunchersVariablesComeFirst) {
  const Placement placement = placement_of({{"RANK", "3"},
                                            {"WORLD_SIZE", "4"},
                                            {"LOCAL_RANK", "1"},
                                            {"LOCAL_WORLD_SIZE", "2"},
                                            {"MASTER_ADDR", "10.0.0.7"},
                                            {"MASTER_PORT", "29500"},
                                            {"SLURM_PROCID", "0"},
                                            {"SLURM_NTASKS", "9"}});
  EXPECT_EQ(placement.rank, 3);
  EXPECT_EQ(placement.ranks, 4);
  EXPECT_EQ(placement.local_rank, 1);
  EXPECT_EQ(placement.ranks_here, 2);
  EXPECT_EQ(placement.host, "10.0.0.7");
  EXPECT_EQ(placement.port, 29500);
}

TEST(Placement, PatienceCanBeLonger) {
  Variables job{{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "2"}, {"SLURM_NODELIST", "a"}};
  EXPECT_EQ(placement_of(job).patience, 30);
  job["COPPICE_JOIN_SECONDS"] = "600";
  EXPECT_EQ(placement_of(job).patience, 600);
}

TEST(Placement, SlurmsRanksMeetAtTheFirstHost) {
  const Variables job{{"SLURM_PROCID", "5"},
                      {"SLURM_NTASKS", "8"},
                      {"SLURM_LOCALID", "1"},
                      {"SLURM_JOB_ID", "12345"},
                      {"SLURM_JOB_NODELIST", "gpu[07-09,12],cpu1"}};
  const Placement placement = placement_of(job);
  EXPECT_EQ(placement.rank, 5);
  EXPECT_EQ(placement.ranks, 8);
  EXPECT_EQ(placement.local_rank, 1);
  EXPECT_EQ(placement.host, "gpu07");
  EXPECT_EQ(placement.port, 10000 + 12345);
  EXPECT_EQ(placement_of(job).port, placement.port) << "the same for all";

  Variables named = job;
  named["MASTER_ADDR"] = "login";
  named["MASTER_PORT"] = "4000";
  EXPECT_EQ(placement_of(named).host, "login");
  EXPECT_EQ(placement_of(named).port, 4000);

  Variables step = job;
  step["SLURM_STEP_NUM_TASKS"] = "6";
  step["SLURM_STEP_NODELIST"] = "gpu12";
  EXPECT_EQ(placement_of(step).ranks, 6) << "a step may be smaller than its job";
  EXPECT_EQ(placement_of(step).host, "gpu12");
}

TEST(Placement, TheFirstHostOfEverySlurmNodeList) {
  for (const auto& [list, host] : std::map<std::string, std::string>{
           {"", ""},
           {"one", "one"},
           {"one,two", "one"},
           {"n[3]", "n3"},
           {"n[003-127]", "n003"},
           {"n[5,8-9],m1", "n5"},
           {"rack[1-2]-node[01-04]", "rack1-node01"},
           {"a[1-2].site.org", "a1.site.org"},
       }) {
    EXPECT_EQ(first_host(list), host) << list;
  }
}

TEST(Placement, WhatIsMissingOrSenselessIsNamed) {
  const Variables good{
      {"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "1"}};
  const auto message = [](const Variables& variables) -> std::string {
    try {
      placement_of(variables);
    } catch (const core::Error& error) {
      EXPECT_EQ(error.kind(), core::ErrorKind::Config);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message(good), "");
  for (const auto& [name, value] : good) {
    Variables without = good;
    without.erase(name);
    EXPECT_THAT(message(without), HasSubstr(name));
    Variables senseless = good;
    senseless[name] = "";
    EXPECT_THAT(message(senseless), HasSubstr(name));
  }
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"RANK", "2"},
                                                        {"RANK", "-1"},
                                                        {"RANK", "1x"},
                                                        {"WORLD_SIZE", "0"},
                                                        {"MASTER_PORT", "70000"},
                                                        {"LOCAL_WORLD_SIZE", "none"}}) {
    Variables wrong = good;
    wrong[name] = value;
    EXPECT_THAT(message(wrong), HasSubstr(name)) << value;
  }
  EXPECT_THAT(message({{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}}), HasSubstr("NODELIST"));
}

}  // namespace

}  // namespace coppice::train
