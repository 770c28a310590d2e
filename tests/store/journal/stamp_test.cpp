#include "store/journal/stamp.hpp"

#include "tests/support/expect.hpp"
#include "tests/support/time_authority.hpp"

namespace versement::journal {
namespace {

using testing::TimeAuthority;

constexpr const char* kNote =
    "archive.example/fonds\n1\nAAAA\n\n\xE2\x80\x94 archive.example/fonds b2V4\n";
constexpr std::time_t kNow = 1'800'000'000;

std::string token_from(const TimeAuthority& authority, std::string_view note) {
  const auto request = stamp_request(note);
  EXPECT_OK(request);
  const auto token = token_of_reply(authority.reply(*request, kNow), *request, note);
  EXPECT_OK(token);
  return *token;
}

StampAuthorities trusting(const TimeAuthority& authority) {
  auto authorities = StampAuthorities::parse(authority.certificate());
  EXPECT_OK(authorities);
  return *std::move(authorities);
}

TEST(Stamp, a_stamp_tells_when_and_by_whom) {
  const TimeAuthority authority("Horloge de l’État");
  const std::string token = token_from(authority, kNote);
  const auto stamp = verify_stamp(token, kNote, trusting(authority));
  ASSERT_OK(stamp);
  EXPECT_EQ(stamp->time.text_seconds(), "2027-01-15T08:00:00Z");
  EXPECT_EQ(stamp->authority, "CN=Horloge de l’État");
  EXPECT_EQ(stamp->serial, "01");
}

TEST(Stamp, a_stamp_is_of_one_note_only) {
  const TimeAuthority authority("Horloge");
  const std::string token = token_from(authority, kNote);
  EXPECT_FAILS(read_stamp(token, std::string(kNote) + " "), Code::corrupt);
  EXPECT_FAILS(verify_stamp(token, "", trusting(authority)), Code::corrupt);
}

TEST(Stamp, an_unknown_authority_is_told_from_a_bad_stamp) {
  const TimeAuthority authority("Horloge");
  const TimeAuthority other("Horloge");  // The same name, another key.
  const std::string token = token_from(authority, kNote);
  EXPECT_OK(read_stamp(token, kNote));
  EXPECT_FAILS(verify_stamp(token, kNote, trusting(other)), Code::denied);
}

TEST(Stamp, a_certificate_counts_as_of_the_time_of_the_stamp) {
  const TimeAuthority ended_since("Horloge", kNow - 86400, 2);
  const std::string token = token_from(ended_since, kNote);
  EXPECT_OK(verify_stamp(token, kNote, trusting(ended_since)));
  // One whose time had not come when it signed.
  const TimeAuthority not_yet("Horloge", kNow + 86400, 2);
  const auto request = stamp_request(kNote);
  ASSERT_OK(request);
  EXPECT_FAILS(token_of_reply(not_yet.reply(*request, kNow), *request, kNote), Code::corrupt);
}

TEST(Stamp, a_reply_to_another_request_is_refused) {
  const TimeAuthority authority("Horloge");
  const auto first = stamp_request(kNote);
  const auto second = stamp_request(kNote);  // Another random number.
  ASSERT_OK(first);
  ASSERT_OK(second);
  const std::string reply = authority.reply(*first, kNow);
  EXPECT_OK(token_of_reply(reply, *first, kNote));
  EXPECT_FAILS(token_of_reply(reply, *second, kNote), Code::corrupt);
}

TEST(Stamp, a_refusal_is_told_in_the_authority_s_words) {
  const TimeAuthority authority("Horloge");
  const auto request = stamp_request(kNote);
  ASSERT_OK(request);
  const auto refused = token_of_reply(authority.reply("rubbish", kNow), *request, kNote);
  EXPECT_FAILS(refused, Code::invalid);
  EXPECT_NE(refused.error().what().find("refuses"), std::string::npos) << refused.error().what();
}

// Every byte changed, and every length.
TEST(Stamp, no_altered_token_is_believed) {
  const TimeAuthority authority("Horloge");
  const std::string token = token_from(authority, kNote);
  const StampAuthorities trusted = trusting(authority);
  std::size_t believed = 0;
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string altered = token;
    altered[i] = static_cast<char>(altered[i] ^ 0x01);
    const auto stamp = verify_stamp(altered, kNote, trusted);
    if (!stamp) continue;
    ++believed;
    EXPECT_EQ(stamp->time.text_seconds(), "2027-01-15T08:00:00Z") << i;
  }
  // Bytes that no signature covers and nobody reads: versions and names of algorithms of the
  // certificate that is in the token, which is looked up by its digest.
  EXPECT_LE(believed, token.size() / 20);
  for (std::size_t length = 0; length < token.size(); length += 7)
    EXPECT_FAILS(verify_stamp(token.substr(0, length), kNote, trusted), Code::corrupt);
  EXPECT_FAILS(verify_stamp(token + "x", kNote, trusted), Code::corrupt);
  EXPECT_FAILS(verify_stamp(std::string(100'000, '0'), kNote, trusted), Code::limit);
}

TEST(Stamp, authorities_come_in_pem) {
  EXPECT_FAILS(StampAuthorities::parse(""), Code::invalid);
  EXPECT_FAILS(StampAuthorities::parse("not PEM"), Code::invalid);
  const TimeAuthority first("Un");
  const TimeAuthority second("Deux");
  const auto both = StampAuthorities::parse(first.certificate() + second.certificate());
  ASSERT_OK(both);
  EXPECT_OK(verify_stamp(token_from(second, kNote), kNote, *both));
  std::string cut = first.certificate() + second.certificate();
  cut.resize(cut.size() - 60);
  EXPECT_FAILS(StampAuthorities::parse(cut), Code::invalid);
}

}  // namespace
}  // namespace versement::journal
