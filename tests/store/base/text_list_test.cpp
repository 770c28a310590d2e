#include "store/base/text_list.hpp"

#include <random>

#include <gtest/gtest.h>

namespace versement {
namespace {

TEST(TextList, gives_back_every_text_by_its_number_and_in_order) {
  std::mt19937 random(7);
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; ++i) {
    std::string text = "versement/data/" + std::to_string(i / 40) + "/";
    text += std::string(random() % 300, static_cast<char>('a' + random() % 3));
    texts.push_back(random() % 50 == 0 ? std::string() : text + "ផ្សារ");
  }
  TextList list;
  for (const std::string& text : texts)
    list.add(text);
  list.shrink();

  ASSERT_EQ(list.size(), texts.size());
  TextList::Cursor cursor(list, 5);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ASSERT_TRUE(list.at(i) == texts[i]) << i;
    if (i < 5) continue;
    if (i > 5) cursor.next();
    ASSERT_TRUE(cursor.text() == texts[i]) << i;
  }
}

TEST(TextList, paths_in_their_order_need_little) {
  TextList list;
  std::size_t bytes = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string path = "2026-V-001/data/PP-PHOTO-" + std::to_string(100'000 + i / 10) +
                             "/representations/master/data/vue-" + std::to_string(i) + ".jpg";
    list.add(path);
    bytes += path.size();
  }
  list.shrink();
  EXPECT_LT(list.memory_bytes(), bytes / 3);
}

}  // namespace
}  // namespace versement
