#include "service/ingest/notice.hpp"

#include <gtest/gtest.h>

namespace versement::ingest {
namespace {

mets::Description described(const std::string& title) {
  mets::Description description;
  description.title["fr"] = title;
  description.date = "1994";
  description.unmapped = {{"b", "2"}, {"a", "\"1\"\n"}};
  description.rights.credit_line["fr"] = "crédit";
  description.rights.reproduction = "restricted";
  description.rights.statements.emplace_back().basis = "license";
  return description;
}

TEST(Notice, gives_back_what_was_said_with_rights_shared_or_not) {
  SharedTexts shared;
  const mets::Original original{.shelfmark = "B 7", .box = "", .extent = "3 m"};
  for (SharedTexts* const texts : {static_cast<SharedTexts*>(nullptr), &shared}) {
    Notice notice;

    notice.set(mets::to_json(described("Le titre")), mets::to_json(original), texts);

    EXPECT_EQ(mets::to_json(notice.description()), mets::to_json(described("Le titre")));
    EXPECT_EQ(mets::to_json(notice.original()), mets::to_json(original));
  }
}

TEST(Notice, forgets_rights_and_original_that_the_next_text_does_not_have) {
  SharedTexts shared;
  Notice notice;
  notice.set(mets::to_json(described("a")), {{"box", "B 1"}}, &shared);

  notice.set(mets::to_json(mets::Description()), {});

  EXPECT_EQ(mets::to_json(notice.description()), mets::to_json(mets::Description()));
  EXPECT_TRUE(notice.original().empty());
}

TEST(Notice, says_nothing_before_it_is_set) {
  const Notice notice;

  EXPECT_TRUE(notice.description_json().empty());
  EXPECT_TRUE(notice.original().empty());
}

TEST(SharedTexts, keeps_equal_texts_once) {
  SharedTexts texts;
  const auto first = texts.keep("rights of a collection");

  EXPECT_EQ(texts.keep("rights of a collection"), first);
  EXPECT_NE(texts.keep("others"), first);
}

}  // namespace
}  // namespace versement::ingest
