#include "jobs/git.h"

#include <gtest/gtest.h>

#include "core/files.h"

namespace coppice::jobs {
namespace {

namespace fs = std::filesystem;

class GitTest : public ::testing::Test {
 protected:
  void write(const fs::path& name, const std::string& text) {
    fs::create_directories((root_ / name).parent_path());
    core::write_file(root_ / name, text);
  }

  core::TemporaryFolder folder_;
  fs::path root_ = folder_.path();
  std::string commit_ = std::string(39, 'a') + "7";
  std::string other_ = std::string(40, 'b');
};

TEST_F(GitTest, ABranchFromAnyDepth) {
  write(".git/HEAD", "ref: refs/heads/main\n");
  write(".git/refs/heads/main", commit_ + "\n");
  fs::create_directories(root_ / "build" / "tools");
  EXPECT_EQ(git_commit(root_), commit_);
  EXPECT_EQ(git_commit(root_ / "build" / "tools"), commit_);
}

TEST_F(GitTest, ADetachedHead) {
  write(".git/HEAD", commit_ + "\n");
  EXPECT_EQ(git_commit(root_), commit_);
}

TEST_F(GitTest, APackedBranch) {
  write(".git/HEAD", "ref: refs/heads/main\n");
  write(".git/packed-refs",
        "# pack-refs with: peeled\n" + other_ + " refs/heads/main-2\n" + commit_ +
            " refs/heads/main\n");
  EXPECT_EQ(git_commit(root_), commit_);
}

TEST_F(GitTest, AWorktree) {
  write(".git/packed-refs", commit_ + " refs/heads/side\n");
  write(".git/HEAD", other_ + "\n");
  write(".git/worktrees/side/HEAD", "ref: refs/heads/side\n");
  write(".git/worktrees/side/commondir", "../..\n");
  write("side/.git", "gitdir: " + (root_ / ".git/worktrees/side").string() + "\n");
  EXPECT_EQ(git_commit(root_ / "side"), commit_);
}

TEST_F(GitTest, NothingOutsideACheckoutOrBeforeACommit) {
  EXPECT_EQ(git_commit(root_), "");
  EXPECT_EQ(git_commit(root_ / "absent"), "");
  write(".git/HEAD", "ref: refs/heads/main\n");
  EXPECT_EQ(git_commit(root_), "");
  write(".git/HEAD", "nonsense\n");
  EXPECT_EQ(git_commit(root_), "");
}

}  // namespace
}  // namespace coppice::jobs
