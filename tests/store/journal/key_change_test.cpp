#include "store/journal/key_change.hpp"

#include "store/base/text.hpp"
#include "store/journal/log.hpp"
#include "store/journal/tail.hpp"
#include "store/journal/verify.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/fixed_clock.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/time_authority.hpp"

namespace versement::journal {
namespace {

using testing::FixedClock;
using testing::TemporaryFolder;
using testing::TimeAuthority;

constexpr const char* kOrigin = "archive.example/keys";

// A journal whose key is replaced now and then.
class KeyChanges : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(Log::create(real_disk(), folder_, dir_ / "key", kOrigin));
    first_ = signer("key")->key();
  }

  Result<Signer> signer(const std::string& name) { return Signer::open(real_disk(), dir_ / name); }

  Result<std::unique_ptr<Log>> open(const std::string& key = "key") {
    TRY_SET(Signer opener, signer(key));
    LogOptions options;
    options.publish_delay = std::chrono::hours(1);
    return Log::open(real_disk(), folder_, std::move(opener), std::move(options));
  }

  Event event(std::string_view type) {
    Event event;
    event.time = clock_.now();
    event.id = Uuid::at(event.time);
    event.type = type;
    event.agent = "tester";
    return event;
  }

  void append(const std::string& key, int count) {
    const auto log = open(key);
    ASSERT_OK(log);
    (*log)->start();
    for (int i = 0; i < count; ++i)
      ASSERT_OK((*log)->append(event("test")));
  }

  // Hands over from one key file to another, new one.
  void replace(const std::string& from, const std::string& to) {
    const auto log = open(from);
    ASSERT_OK(log);
    const auto next = Signer::create(real_disk(), dir_ / to, kOrigin);
    ASSERT_OK(next);
    ASSERT_OK((*log)->replace_key(*next, event(type::kKeyReplaced)));
    EXPECT_TRUE((*log)->key() == next->key());
    write_vkey(next->key());
  }

  void write_vkey(const VerifierKey& key) {
    (void)real_disk().remove_file(folder_ / "vkey");
    testing::write(folder_ / "vkey", key.text() + "\n");
  }

  JournalReport verify(const Trust& trust, const std::vector<KeptCheckpoint>& known = {}) {
    auto report = verify_journal(
        real_disk(), folder_, trust, [](std::uint64_t, std::string_view) {}, known);
    EXPECT_OK(report);
    return *report;
  }

  static std::string codes(const JournalReport& report) {
    std::string all;
    for (const JournalFinding& finding : report.findings)
      all += finding.code + " " + finding.file + ": " + finding.detail + "\n";
    return all;
  }

  std::string checkpoint() { return testing::read(folder_ / "checkpoint"); }

  TemporaryFolder dir_;
  Path folder_ = dir_ / "journal";
  FixedClock clock_;
  VerifierKey first_;
};

TEST_F(KeyChanges, the_new_key_opens_the_journal_and_the_old_one_does_not) {
  append("key", 3);
  replace("key", "second");
  EXPECT_OK(open("second"));
  append("second", 2);
  EXPECT_FAILS(open("key"), Code::corrupt);
}

TEST_F(KeyChanges, whoever_trusts_an_older_key_follows_to_the_newest) {
  append("key", 300);
  replace("key", "second");
  append("second", 300);
  replace("second", "third");
  append("third", 5);
  for (const VerifierKey& key : {first_, signer("second")->key(), signer("third")->key()}) {
    const JournalReport report = verify({.key = key});
    EXPECT_EQ(codes(report), "");
    EXPECT_EQ(report.size, 607u);
    EXPECT_EQ(report.key, signer("third")->key().text());
  }
}

TEST_F(KeyChanges, a_key_that_never_signed_is_not_believed) {
  append("key", 3);
  replace("key", "second");
  ASSERT_OK(Signer::create(real_disk(), dir_ / "stranger", kOrigin));
  const JournalReport report = verify({.key = signer("stranger")->key()});
  ASSERT_EQ(report.findings.size(), 1u) << codes(report);
  EXPECT_EQ(report.findings.front().code, "journal-key");
}

TEST_F(KeyChanges, kept_checkpoints_count_under_the_key_of_their_time) {
  append("key", 3);
  const KeptCheckpoint before{checkpoint(), "before"};
  replace("key", "second");
  append("second", 3);
  const KeptCheckpoint after{checkpoint(), "after"};
  EXPECT_EQ(codes(verify({.key = first_}, {before, after})), "");
  // The old key may have been stolen; it cannot sign for what came after it.
  const auto old = signer("key");
  ASSERT_OK(old);
  const auto newest = parse_checkpoint(after.note);
  ASSERT_OK(newest);
  const JournalReport report = verify({.key = first_}, {{old->sign(*newest), "forged"}});
  ASSERT_EQ(report.findings.size(), 1u) << codes(report);
  EXPECT_EQ(report.findings.front().code, "journal-key");
  EXPECT_EQ(report.findings.front().file, "forged");
}

TEST_F(KeyChanges, a_checkpoint_signed_by_the_old_key_is_found) {
  append("key", 3);
  replace("key", "second");
  append("second", 1);
  const auto old = signer("key");
  ASSERT_OK(old);
  const auto newest = parse_checkpoint(checkpoint());
  ASSERT_OK(newest);
  ASSERT_OK(real_disk().remove_file(folder_ / "checkpoint"));
  testing::write(folder_ / "checkpoint", old->sign(*newest));
  const JournalReport report = verify({.key = first_});
  ASSERT_FALSE(report.good());
  EXPECT_EQ(report.findings.front().code, "journal-key") << codes(report);
}

// A statement of another place, or by only one of the keys, in an entry that is signed well.
TEST_F(KeyChanges, a_statement_must_be_signed_by_both_and_of_its_place) {
  append("key", 3);
  const auto log = open();
  ASSERT_OK(log);
  (*log)->start();
  const auto next = Signer::create(real_disk(), dir_ / "second", kOrigin);
  ASSERT_OK(next);
  const auto here = parse_checkpoint((*log)->checkpoint());
  ASSERT_OK(here);
  Checkpoint elsewhere = *here;
  elsewhere.size -= 1;
  const std::string good = key_statement(*signer("key"), *next, *here);
  const std::string alone = signer("key")->sign_note(*text_of_note(good));
  for (const std::string& statement : {key_statement(*signer("key"), *next, elsewhere), alone,
                                       std::string("rubbish"), std::string()}) {
    Event handed = event(type::kKeyReplaced);
    handed.detail["statement"] = statement;
    ASSERT_OK((*log)->append(std::move(handed)));
  }
  ASSERT_OK((*log)->publish());
  const JournalReport report = verify({.key = first_});
  EXPECT_EQ(report.findings.size(), 4u) << codes(report);
  for (const JournalFinding& finding : report.findings)
    EXPECT_EQ(finding.code, "journal-key");
}

TEST_F(KeyChanges, a_statement_is_read_back) {
  const auto next = Signer::create(real_disk(), dir_ / "second", kOrigin);
  ASSERT_OK(next);
  const Checkpoint tree{.origin = kOrigin, .size = 7, .root = empty_root()};
  const std::string note = key_statement(*signer("key"), *next, tree);
  const auto change = read_key_statement(note);
  ASSERT_OK(change);
  EXPECT_TRUE(change->before == first_);
  EXPECT_TRUE(change->after == next->key());
  EXPECT_EQ(change->tree.size, 7u);
  EXPECT_FAILS(parse_checkpoint(note), Code::invalid);
  for (std::size_t i = 0; i < note.size(); ++i) {
    std::string altered = note;
    altered[i] = static_cast<char>(altered[i] ^ 0x01);
    EXPECT_FALSE(read_key_statement(altered)) << i;
  }
}

// -------------------------------------------------------------------------------- seen by others

class SeenByOthers : public KeyChanges {
 protected:
  // Appends an event with what others said of the checkpoint of this moment.
  void stamp(const TimeAuthority& authority, const std::function<void(Event*)>& change) {
    const auto log = open();
    ASSERT_OK(log);
    (*log)->start();
    const std::string note = (*log)->checkpoint();
    const auto request = stamp_request(note);
    ASSERT_OK(request);
    const auto token = token_of_reply(authority.reply(*request, 1'800'000'000), *request, note);
    ASSERT_OK(token);
    Event stamped = event(type::kTimestamped);
    stamped.detail["checkpoint"] = note;
    stamped.detail["token"] = base64_of(std::string_view(*token));
    stamped.detail["time"] = "2027-01-15T08:00:00.000Z";
    if (change) change(&stamped);
    ASSERT_OK((*log)->append(std::move(stamped)));
    ASSERT_OK((*log)->append(event("test")));
  }
};

TEST_F(SeenByOthers, stamps_are_verified_under_the_authorities_that_are_named) {
  const TimeAuthority authority("Horloge");
  const TimeAuthority other("Autre");
  append("key", 5);
  stamp(authority, nullptr);
  append("key", 300);
  stamp(other, nullptr);
  replace("key", "second");
  auto trusted = StampAuthorities::parse(authority.certificate());
  ASSERT_OK(trusted);
  const JournalReport alone = verify({.key = first_});
  EXPECT_EQ(codes(alone), "");
  EXPECT_EQ(alone.stamps.count, 2u);
  EXPECT_EQ(alone.stamps.verified, 0u);
  const JournalReport report = verify({.key = first_, .authorities = &*trusted});
  EXPECT_EQ(codes(report), "");
  EXPECT_EQ(report.stamps.verified, 1u);
  EXPECT_EQ(report.stamps.size, 5u);
  EXPECT_EQ(report.stamps.by, "CN=Horloge");
  EXPECT_EQ(report.stamps.time, "2027-01-15T08:00:00.000Z");
}

TEST_F(SeenByOthers, a_stamp_that_lies_is_found) {
  const TimeAuthority authority("Horloge");
  append("key", 5);
  const std::string old = checkpoint();
  stamp(authority, [](Event* e) { e->detail["time"] = "2026-01-15T08:00:00.000Z"; });
  stamp(authority, [](Event* e) { e->detail["token"] = "AAAA"; });
  stamp(authority, [](Event* e) { e->detail["token"] = "not base64"; });
  stamp(authority, [&](Event* e) { e->detail["checkpoint"] = old; });
  stamp(authority, [](Event* e) { e->detail["checkpoint"] = "rubbish"; });
  // Of another history of this size, and of one that was still to come; well signed, both.
  Checkpoint wrong{.origin = kOrigin, .size = 4, .root = empty_root()};
  stamp(authority, [&](Event* e) { e->detail["checkpoint"] = signer("key")->sign(wrong); });
  wrong.size = 4000;
  stamp(authority, [&](Event* e) { e->detail["checkpoint"] = signer("key")->sign(wrong); });
  const JournalReport report = verify({.key = first_});
  EXPECT_EQ(report.findings.size(), 7u) << codes(report);
  for (const JournalFinding& finding : report.findings)
    EXPECT_EQ(finding.code, "journal-stamp") << finding.detail;
}

// The token is right; what was stamped is no checkpoint of this journal before the entry.
TEST_F(SeenByOthers, a_good_stamp_of_something_else_is_found) {
  const TimeAuthority authority("Horloge");
  append("key", 5);
  const Checkpoint right = *parse_checkpoint(checkpoint());
  const auto stranger = Signer::create(real_disk(), dir_ / "stranger", kOrigin);
  ASSERT_OK(stranger);
  Checkpoint other_root = right;
  other_root.root = empty_root();
  Checkpoint still_to_come = right;
  still_to_come.size = 4000;
  Checkpoint other_origin = right;
  other_origin.origin = "archive.example/else";
  for (const std::string& note :
       {signer("key")->sign(other_root), signer("key")->sign(still_to_come),
        signer("key")->sign(other_origin), stranger->sign(right)}) {
    const auto request = stamp_request(note);
    ASSERT_OK(request);
    const auto token = token_of_reply(authority.reply(*request, 1'800'000'000), *request, note);
    ASSERT_OK(token);
    stamp(authority, [&](Event* e) {
      e->detail["checkpoint"] = note;
      e->detail["token"] = base64_of(std::string_view(*token));
    });
  }
  const JournalReport report = verify({.key = first_});
  EXPECT_EQ(report.findings.size(), 4u) << codes(report);
  for (const JournalFinding& finding : report.findings)
    EXPECT_EQ(finding.code, "journal-stamp") << finding.detail;
}

TEST_F(SeenByOthers, cosignatures_are_verified_under_the_witnesses_that_are_named) {
  const auto witness =
      Signer::create(real_disk(), dir_ / "witness", "archives.example/witness", KeyKind::witness);
  ASSERT_OK(witness);
  append("key", 5);
  const auto cosigned = witness->add_signature(checkpoint(), 1'800'000'000);
  ASSERT_OK(cosigned);
  const auto log = open();
  ASSERT_OK(log);
  (*log)->start();
  Event seen = event(type::kCosigned);
  seen.detail["checkpoint"] = *cosigned;
  seen.detail["witness"] = "archives.example/witness";
  ASSERT_OK((*log)->append(seen));
  ASSERT_OK((*log)->publish());
  const JournalReport report = verify({.key = first_, .witnesses = {witness->key()}});
  EXPECT_EQ(codes(report), "");
  EXPECT_EQ(report.cosignatures.count, 1u);
  EXPECT_EQ(report.cosignatures.verified, 1u);
  EXPECT_EQ(report.cosignatures.size, 5u);
  EXPECT_EQ(report.cosignatures.time, "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(verify({.key = first_}).cosignatures.verified, 0u);

  // In the witness's name, by another key.
  const auto false_witness =
      Signer::create(real_disk(), dir_ / "false", "archives.example/witness", KeyKind::witness);
  ASSERT_OK(false_witness);
  const JournalReport wrong = verify({.key = first_, .witnesses = {false_witness->key()}});
  ASSERT_EQ(wrong.findings.size(), 1u);
  EXPECT_EQ(wrong.findings.front().code, "journal-cosignature");
}

TEST_F(SeenByOthers, the_time_of_a_cosignature_is_signed) {
  const auto witness =
      Signer::create(real_disk(), dir_ / "witness", "archives.example/witness", KeyKind::witness);
  ASSERT_OK(witness);
  const auto note = witness->add_signature(checkpoint(), 1'800'000'000);
  ASSERT_OK(note);
  EXPECT_EQ(witness->key().signed_at(*note), std::optional<std::uint64_t>(1'800'000'000));
  const std::size_t at = note->rfind(' ') + 1;
  std::string bytes = *bytes_of_base64(std::string_view(*note).substr(at, note->size() - at - 1));
  bytes[11] = static_cast<char>(bytes[11] + 1);  // The last byte of the time.
  const std::string later = note->substr(0, at) + base64_of(std::string_view(bytes)) + "\n";
  EXPECT_FALSE(witness->key().signed_at(later));
  // Neither kind of key takes the other's signatures.
  EXPECT_TRUE(first_.verifies(*note));
  EXPECT_NE(witness->key().kind(), first_.kind());
  const auto again = Signer::open(real_disk(), dir_ / "witness");
  ASSERT_OK(again);
  EXPECT_TRUE(again->key() == witness->key());
}

}  // namespace
}  // namespace versement::journal
