// What is written as tables is read back as it was, whatever it says.
#include <random>

#include "mets/table.hpp"
#include "service/ingest/plan.hpp"
#include "store/base/text.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::ingest {
namespace {

using testing::TemporaryFolder;

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  bool chance(unsigned percent) { return below(100) < percent; }
  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }

  // A text as it comes out of a table: no blanks at its ends.
  std::string text() {
    static const std::vector<std::string> kParts{
        "=",       "+", "-", "@", "'",  "''=", "\"",  ",", ";",  "\n", "\r\n", "ផ្សារ", "é",
        "e\u0301", "a", "B", " ", "\t", "1",   "<b>", "&", "\\", "/",  "|",    "�"};
    std::string out;
    do {
      out.clear();
      for (std::size_t i = 1 + below(6); i > 0; --i)
        out += kParts[below(kParts.size())];
      out = trim(out, " \t\r\n");
    } while (out.empty());
    return out;
  }

  mets::Localized localized() {
    mets::Localized out;
    for (const char* language : {"fr", "en", "km", "zh-Hant"}) {
      if (chance(40)) out[language] = text();
    }
    return out;
  }
  std::vector<mets::Localized> subjects() {
    static const std::vector<std::string> kLanguages{"fr", "en", "km"};
    std::vector<mets::Localized> out;
    for (std::size_t i = below(4); i > 0; --i)
      out.push_back({{kLanguages[below(3)], text()}});
    return out;
  }
  std::vector<std::string> list() {
    std::vector<std::string> out;
    for (std::size_t i = below(4); i > 0; --i)
      out.push_back(text());
    return out;
  }
  std::string maybe() { return chance(50) ? text() : std::string(); }

  mets::RightsStatement statement(std::size_t number) {
    static const std::vector<std::string> kBases{"copyright", "license", "statute",
                                                 "donor",     "policy",  "other"};
    mets::RightsStatement out;
    out.basis = kBases[below(kBases.size())];
    out.terms = "terms " + std::to_string(number);
    out.note = maybe();
    out.doc_id_value = maybe();
    out.end_date = chance(50) ? "open" : "";
    for (std::size_t i = below(3); i > 0; --i) {
      mets::Grant grant;
      grant.act = "act " + std::to_string(i);
      grant.restriction = chance(50) ? "Allow" : "";
      grant.note = maybe();
      out.grants.push_back(std::move(grant));
    }
    return out;
  }

  mets::Description description() {
    mets::Description d;
    d.title = localized();
    d.title["fr"] = text();
    d.description = localized();
    d.creators = list();
    d.subjects = subjects();
    d.places = subjects();
    d.date = maybe();
    d.type = maybe();
    if (!d.type.empty()) d.genre = maybe();
    d.format = maybe();
    d.source = localized();
    d.languages = list();
    for (const std::string& value : list())
      d.identifiers.push_back({value.find("://") == std::string::npos ? "local" : "uri", value});
    d.relations = list();
    d.rights.conditions = {{"en", text()}};
    d.rights.credit_line = localized();
    d.rights.credit_line["km"] = text();
    d.rights.owner = localized();
    if (chance(60)) d.rights.reproduction = chance(50) ? "restricted" : "allowed";
    static const std::vector<std::string> kNames{"photographe", "=cote", "note@home",
                                                 "dc.publisher"};
    for (std::size_t i = below(4); i > 0; --i)
      d.unmapped.emplace_back(kNames[below(kNames.size())], text());
    return d;
  }

 private:
  std::mt19937 random_;
};

using Files = std::vector<std::pair<std::string, std::string>>;  // in the deposit, below data/

std::function<Result<void>(const mets::TableItem::Each&)> named(const Files& files) {
  return [files](const mets::TableItem::Each& each) -> Result<void> {
    for (const auto& [filename, data_path] : files)
      TRY(each({filename, data_path}));
    return {};
  };
}

Sink into(std::string* text) {
  return [text](std::string_view more) -> Result<void> {
    *text += more;
    return {};
  };
}

TEST(RoundTrip, descriptions_and_rights_come_back_as_they_were) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    Maker make(seed);
    const TemporaryFolder dir;
    std::vector<mets::TableItem> items;
    std::vector<Files> files_of;
    for (std::size_t i = 0; i < 6; ++i) {
      mets::TableItem item;
      Files names;
      item.slug = "item-" + std::to_string(i);
      item.description = make.description();
      const std::size_t files = i == 0 ? 0 : 1 + make.below(3);
      if (files == 0) item.original.shelfmark = make.text();
      if (make.chance(50)) item.original.box = make.text();
      for (std::size_t file = 0; file < files; ++file) {
        const std::string name = std::to_string(file) + " é,\".txt";
        const std::string path = "objects/" + item.slug + "/" + name;
        ASSERT_OK(make_folders(real_disk(), (dir / path).parent_path()));
        testing::write(dir / path, path);
        names.emplace_back(path, name);
      }
      item.files = named(names);
      files_of.push_back(names);
      for (std::size_t number = make.below(3); number > 0; --number)
        item.description.rights.statements.push_back(make.statement(number));
      items.push_back(std::move(item));
    }
    mets::MetadataTable table;
    for (const mets::TableItem& item : items)
      ASSERT_OK(table.add(item.description, item.original));
    std::string metadata = table.header();
    std::string rights = mets::rights_header();
    for (const mets::TableItem& item : items) {
      ASSERT_OK(table.rows(item, into(&metadata)));
      ASSERT_OK(mets::rights_rows(item, into(&rights)));
    }
    ASSERT_OK(make_folders(real_disk(), dir / "metadata"));
    testing::write(dir / "metadata/metadata.csv", metadata);
    testing::write(dir / "metadata/rights.csv", rights);

    const auto plan = make_plan(real_disk(), dir.path(), Defaults(), {});

    ASSERT_OK(plan);
    EXPECT_EQ(plan->findings.count(Severity::error), 0u)
        << seed << ": " << plan->findings.kept().front().detail;
    ASSERT_EQ(plan->items.size(), items.size()) << seed;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const PlannedItem& back = plan->items[i];
      EXPECT_EQ(back.slug.text(), items[i].slug) << seed;
      EXPECT_EQ(back.files.size(), files_of[i].size()) << seed;
      EXPECT_EQ(json::write(mets::to_json(back.notice.description())),
                json::write(mets::to_json(items[i].description)))
          << seed;
      EXPECT_EQ(json::write(mets::to_json(back.notice.original())),
                json::write(mets::to_json(items[i].original)))
          << seed;
    }
  }
}

TEST(RoundTrip, a_statement_of_some_files_keeps_them) {
  mets::TableItem item;
  item.slug = "A";
  mets::RightsStatement some;
  some.basis = "license";
  some.files = {"2.txt"};
  item.description.rights.statements = {some};
  item.files = named({{"objects/A/1.txt", "1.txt"}, {"=2.txt", "2.txt"}});
  std::string rows;
  ASSERT_OK(mets::rights_rows(item, into(&rows)));
  EXPECT_EQ(rows, "./=2.txt,license" + std::string(16, ',') + "\r\n");
}

TEST(MetadataTable, refuses_more_columns_than_a_table_has) {
  mets::MetadataTable table;
  mets::Description description;
  for (int i = 0; i < 511; ++i)
    description.unmapped.emplace_back("column " + std::to_string(i), "x");
  EXPECT_FAILS(table.add(description, {}), Code::limit);
}

TEST(MetadataTable, does_not_drop_what_it_did_not_know_of) {
  const mets::MetadataTable table;
  mets::TableItem item;
  item.slug = "A";
  item.description.date = "1994";
  item.files = named({});
  std::string rows;
  EXPECT_FAILS(table.rows(item, into(&rows)), Code::conflict);
  EXPECT_EQ(rows, "");
}

}  // namespace
}  // namespace versement::ingest
