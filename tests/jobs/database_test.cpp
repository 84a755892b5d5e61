#include "jobs/database.h"

#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"

namespace coppice::jobs {
namespace {

using core::Error;
using core::ErrorKind;

class DatabaseTest : public ::testing::Test {
 protected:
  core::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "a folder" / "things.db";
};

TEST_F(DatabaseTest, ValuesComeBackAsTheyWere) {
  Database database(file_);
  database.execute("CREATE TABLE things (i bigint, d double, t text, n text)");
  const int64_t large = std::numeric_limits<int64_t>::min() + 1;
  const double fine = 0.1 + 1e-17;
  const std::string text = "it's \"quoted\"; DROP TABLE things; -- ü\n:name";
  EXPECT_EQ(database.execute("INSERT INTO things VALUES (:i, :d, :t, :n)",
                             {large, fine, text, std::monostate{}}),
            1);
  const auto rows = database.query("SELECT i, d, t, n FROM things");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].integer(0), large);
  EXPECT_EQ(rows[0].real(1), fine);
  EXPECT_EQ(rows[0].text(2), text);
  EXPECT_TRUE(rows[0].is_null(3));
  EXPECT_FALSE(rows[0].is_null(2));
  EXPECT_THROW(rows[0].text(3), Error);
  EXPECT_THROW(rows[0].integer(2), Error);
}

TEST_F(DatabaseTest, ExpressionsAreRead) {
  Database database(file_);
  database.execute("CREATE TABLE things (i bigint)");
  for (int64_t i = 0; i < 5; ++i) {
    database.execute("INSERT INTO things VALUES (:i)", {int64_t{1} << (8 * i)});
  }
  const auto rows =
      database.query("SELECT count(*), max(i), avg(i) FROM things WHERE i > :low", {int64_t{1}});
  EXPECT_EQ(rows.at(0).integer(0), 4);
  EXPECT_EQ(rows.at(0).integer(1), int64_t{1} << 32);
  EXPECT_DOUBLE_EQ(rows.at(0).real(2), (256.0 + 65536.0 + 16777216.0 + 4294967296.0) / 4);
  EXPECT_TRUE(database.query("SELECT i FROM things WHERE i = 7").empty());
}

TEST_F(DatabaseTest, SurvivesReopening) {
  Database(file_).execute("CREATE TABLE things (i bigint)");
  Database(file_).execute("INSERT INTO things VALUES (3)");
  EXPECT_EQ(Database(file_).query("SELECT i FROM things").at(0).integer(0), 3);
}

TEST_F(DatabaseTest, UsesTheWriteAheadLog) {
  Database database(file_);
  EXPECT_EQ(database.query("PRAGMA journal_mode").at(0).text(0), "wal");
}

TEST_F(DatabaseTest, AFailedTransactionLeavesNothing) {
  Database database(file_);
  database.execute("CREATE TABLE things (i bigint)");
  EXPECT_THROW(database.transaction([&] {
    database.execute("INSERT INTO things VALUES (1)");
    throw std::runtime_error("stop");
  }),
               std::runtime_error);
  EXPECT_TRUE(database.query("SELECT i FROM things").empty());
  database.transaction([&] { database.execute("INSERT INTO things VALUES (2)"); });
  EXPECT_EQ(database.query("SELECT i FROM things").at(0).integer(0), 2);
}

TEST_F(DatabaseTest, TransactionsOfThreadsDoNotLoseUpdates) {
  Database(file_).execute("CREATE TABLE counter (i bigint)");
  Database(file_).execute("INSERT INTO counter VALUES (0)");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Database database(file_);
      for (int i = 0; i < 25; ++i) {
        database.transaction([&] {
          const int64_t value = database.query("SELECT i FROM counter").at(0).integer(0);
          database.execute("UPDATE counter SET i = :i", {value + 1});
        });
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(Database(file_).query("SELECT i FROM counter").at(0).integer(0), 100);
}

TEST_F(DatabaseTest, ErrorsNameTheFileInOneLine) {
  Database database(file_);
  try {
    database.execute("INSERT INTO nothing VALUES (:i)", {int64_t{1}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Io);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("things.db"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("nothing"));
    EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("\n")));
  }
}

TEST_F(DatabaseTest, AFileThatIsNoDatabaseIsCorrupt) {
  const auto file = folder_.path() / "text.db";
  core::write_file(file, std::string(5000, 'x'));
  try {
    Database database(file);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Corrupt);
  }
  EXPECT_EQ(core::read_text(file), std::string(5000, 'x'));
}

TEST_F(DatabaseTest, AFolderThatCannotBeMadeIsTold) {
  core::write_file(folder_.path() / "file", "x");
  EXPECT_THROW(Database(folder_.path() / "file" / "a.db"), Error);
}

}  // namespace
}  // namespace coppice::jobs
