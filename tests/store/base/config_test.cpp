// Settings from a file and the environment: types, positions of faults, where a value came from.
#include "store/base/config.hpp"

#include <cstdlib>
#include <fstream>

#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  Path file(const std::string& text) {
    const Path path = folder_ / "versementd.toml";
    std::ofstream(path) << text;
    return path;
  }
  // What finish() complains about; "" when it does not.
  static std::string complaint(Config& config) {
    const auto finished = config.finish();
    return finished ? std::string() : finished.error().what();
  }
  testing::TemporaryFolder folder_;
};

TEST_F(ConfigTest, ValuesHaveTypesAndDefaults) {
  auto config = Config::load(real_disk(), file(R"(
[server]
listen = "127.0.0.1:1"
idle_timeout = "2m"
[store]
keep_free = "3GiB"
verify = false
[ingest]
inbox = ["/a", "/b"]
[audit]
workers = 3
)"),
                             "VERSEMENT_CONFIG_TEST");
  ASSERT_OK(config);
  EXPECT_EQ(config->text("server.listen", "x"), "127.0.0.1:1");
  EXPECT_EQ(config->duration("server.idle_timeout", std::chrono::seconds(1)),
            std::chrono::minutes(2));
  EXPECT_EQ(config->size("store.keep_free", 0), 3ull << 30);
  EXPECT_FALSE(config->flag("store.verify", true));
  EXPECT_EQ(config->list("ingest.inbox", {}), (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(config->number("audit.workers", 1, 8), 3u);
  EXPECT_EQ(config->text("log.level", "info"), "info");
  EXPECT_EQ(complaint(*config), "");
  EXPECT_EQ(config->in_force().at("log.level").source, "default");
  EXPECT_NE(config->in_force().at("audit.workers").source.find("versementd.toml:11"),
            std::string::npos)
      << config->in_force().at("audit.workers").source;
}

TEST_F(ConfigTest, AnUnknownKeyIsRefusedWithItsLineAndWhatWasMeant) {
  auto config =
      Config::load(real_disk(), file("[server]\nlisen = \"x\"\n"), "VERSEMENT_CONFIG_TEST");
  ASSERT_OK(config);
  config->text("server.listen", "y");
  const std::string said = complaint(*config);
  EXPECT_NE(said.find("server.lisen"), std::string::npos) << said;
  EXPECT_NE(said.find(":2"), std::string::npos) << said;
  EXPECT_NE(said.find("server.listen"), std::string::npos) << said;
}

TEST_F(ConfigTest, EveryFaultIsNamedAtOnce) {
  auto config =
      Config::load(real_disk(), file("[a]\nn = \"many\"\nd = \"soon\"\ns = \"big\"\nm = 9\n"),
                   "VERSEMENT_CONFIG_TEST");
  ASSERT_OK(config);
  config->number("a.n", 1, 10);
  config->duration("a.d", std::chrono::seconds(1));
  config->size("a.s", 1);
  config->number("a.m", 1, 8);
  const std::string said = complaint(*config);
  for (const char* key : {"a.n", "a.d", "a.s", "a.m"})
    EXPECT_NE(said.find(key), std::string::npos) << said;
}

TEST_F(ConfigTest, TheEnvironmentGoesBeforeTheFile) {
  ::setenv("VERSEMENT_CONFIG_TEST_SERVER__LISTEN", "from-environment", 1);
  auto config = Config::load(real_disk(), file("[server]\nlisten = \"from-file\"\n"),
                             "VERSEMENT_CONFIG_TEST");
  ::unsetenv("VERSEMENT_CONFIG_TEST_SERVER__LISTEN");
  ASSERT_OK(config);
  EXPECT_EQ(config->text("server.listen", ""), "from-environment");
  EXPECT_NE(
      config->in_force().at("server.listen").source.find("VERSEMENT_CONFIG_TEST_SERVER__LISTEN"),
      std::string::npos);
  EXPECT_EQ(complaint(*config), "");
}

TEST_F(ConfigTest, LettersBeyondAsciiStandInStringsAndCommentsOnly) {
  for (const std::string text : {"# dépôt\n[a]\nb = \"é \\\" é\"\n", "[a]\nb = 'é\"'  # é\n",
                                 "[a]\nb = \"\"\"é \" é\"\"\"\n", "\xEF\xBB\xBF[a]\nb = \"x\"\n"}) {
    auto config = Config::load(real_disk(), file(text), "NOTHING_HERE");
    ASSERT_OK(config);
    EXPECT_FALSE(config->text("a.b", "").empty()) << text;
  }
  for (const std::string text :
       {"[é]\n", "[a]\né = 1\n", "[a]\nb = \"x\" é\n", "[a]\n\xC2\xA0 b = 1\n"}) {
    const auto config = Config::load(real_disk(), file(text), "NOTHING_HERE");
    EXPECT_FAILS(config, Code::invalid);
    EXPECT_NE(config.error().what().find("in quotes only"), std::string::npos);
  }
}

TEST_F(ConfigTest, BrokenTomlIsRefusedWithLineAndColumn) {
  const auto config =
      Config::load(real_disk(), file("[server]\nlisten = = 3\n"), "VERSEMENT_CONFIG_TEST");
  EXPECT_FAILS(config, Code::invalid);
  EXPECT_NE(config.error().what().find(":2:"), std::string::npos) << config.error().what();
  EXPECT_FAILS(Config::load(real_disk(), folder_ / "none.toml", "X"), Code::not_found);
}

TEST_F(ConfigTest, HostileTomlIsBounded) {
  EXPECT_FAILS(Config::load(real_disk(), file(std::string(2u << 20, '#')), "X"), Code::limit);
  const auto deep =
      Config::load(real_disk(), file("a = " + std::string(100'000, '[')), "VERSEMENT_CONFIG_TEST");
  EXPECT_FAILS(deep, Code::invalid);
  EXPECT_FAILS(Config::load(real_disk(), file("a = \"\xff\xfe\"\n"), "X"), Code::invalid);
}

}  // namespace
}  // namespace versement
