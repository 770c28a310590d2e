#include "mets/seda_reply.hpp"

#include <tuple>

#include "store/base/limits.hpp"
#include "tests/support/expect.hpp"

namespace versement::mets {
namespace {

constexpr const char* kSpace = "fr:gouv:culture:archivesdefrance:seda:v2.2";

Result<SedaReply> read(const std::string& text) {
  ViewSource source(text);
  return read_seda_reply(source);
}

// A reply as VITAM writes it; `middle` stands before the reply code.
std::string reply(const std::string& code,
                  const std::string& middle = "",
                  const std::string& space = kSpace) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ArchiveTransferReply xmlns=\"" + space +
         "\"><Date>2026-03-01T10:00:00.000</Date><MessageIdentifier>atr-1</MessageIdentifier>"
         "<ArchivalAgreement>CV-1</ArchivalAgreement><CodeListVersions><ReplyCodeListVersion>R1"
         "</ReplyCodeListVersion></CodeListVersions>" +
         middle + "<ReplyCode>" + code +
         "</ReplyCode><MessageRequestIdentifier>2026-V-001</MessageRequestIdentifier>"
         "<GrantDate>2026-03-01T09:59:00Z</GrantDate><ArchivalAgency><Identifier>adp</Identifier>"
         "</ArchivalAgency><TransferringAgency><Identifier>apur</Identifier></TransferringAgency>"
         "</ArchiveTransferReply>";
}

std::string package(const std::string& units, const std::string& objects = "") {
  return "<DataObjectPackage>" + objects + "<DescriptiveMetadata>" + units +
         "</DescriptiveMetadata><ManagementMetadata/></DataObjectPackage>";
}

TEST(SedaReply, gives_what_a_reply_says) {
  const auto read_back = read(reply(
      "OK",
      package("<ArchiveUnit id=\"AU-PP-1\"><Content><SystemId>aeaqaaaa</SystemId>"
              "<ArchivalAgencyArchiveUnitIdentifier>12 Fi 4</ArchivalAgencyArchiveUnitIdentifier>"
              "<OriginatingSystemId>PP-1</OriginatingSystemId></Content></ArchiveUnit>"
              "<ArchiveUnit id=\"FILE-x\"><Content><SystemId>b</SystemId></Content></ArchiveUnit>",
              "<DataObjectGroup id=\"GOT-1\"><BinaryDataObject id=\"BDO-1\"><DataObjectSystemId>o1"
              "</DataObjectSystemId><DataObjectGroupSystemId>g1</DataObjectGroupSystemId>"
              "<MessageDigest algorithm=\"SHA-512\">AB12</MessageDigest></BinaryDataObject>"
              "</DataObjectGroup>")));
  ASSERT_OK(read_back);
  EXPECT_EQ(read_back->message, SedaMessage::transfer_reply);
  EXPECT_EQ(read_back->version, SedaVersion::v2_2);
  EXPECT_EQ(read_back->outcome, SedaOutcome::accepted);
  EXPECT_EQ(read_back->identifier, "atr-1");
  EXPECT_EQ(read_back->request_identifier, "2026-V-001");
  EXPECT_EQ(read_back->grant_date, "2026-03-01T09:59:00Z");
  EXPECT_EQ(read_back->agreement, "CV-1");
  EXPECT_EQ(read_back->code_list_version, "R1");
  EXPECT_EQ(read_back->archival_agency, "adp");
  EXPECT_EQ(read_back->transferring_agency, "apur");
  ASSERT_EQ(read_back->units.size(), 2U);
  EXPECT_EQ(read_back->units[0].item, "PP-1");
  EXPECT_EQ(read_back->units[0].system_ids, std::vector<std::string>{"aeaqaaaa"});
  EXPECT_EQ(read_back->units[0].archival_agency_ids, std::vector<std::string>{"12 Fi 4"});
  EXPECT_FALSE(read_back->units[0].outcome);
  EXPECT_EQ(read_back->units[1].item, "");
  ASSERT_EQ(read_back->objects.size(), 1U);
  EXPECT_EQ(read_back->objects[0].system_id, "o1");
  EXPECT_EQ(read_back->objects[0].group_system_id, "g1");
  EXPECT_EQ(read_back->objects[0].digest_algorithm, "SHA-512");
  EXPECT_EQ(read_back->objects[0].digest, "ab12");
}

TEST(SedaReply, knows_both_lists_of_codes_and_takes_no_other_for_a_consent) {
  const std::vector<std::pair<std::string, SedaOutcome>> codes{
      {"OK", SedaOutcome::accepted},
      {"000", SedaOutcome::accepted},
      {"001", SedaOutcome::accepted},
      {"WARNING", SedaOutcome::accepted_in_part},
      {"KO", SedaOutcome::refused},
      {"101", SedaOutcome::refused},
      {"203", SedaOutcome::refused},
      {"312", SedaOutcome::refused},
      {"404", SedaOutcome::refused},
      {"FATAL", SedaOutcome::unknown},
      {"002", SedaOutcome::unknown},
      {"102", SedaOutcome::unknown},
      {"103", SedaOutcome::unknown},
      {"", SedaOutcome::unknown},
      {"ok", SedaOutcome::unknown},
      {"OK.", SedaOutcome::unknown},
      {"O K", SedaOutcome::unknown},
      {"0", SedaOutcome::unknown},
      {"999", SedaOutcome::unknown},
      {"OK<!-- -->_NOT", SedaOutcome::unknown},
      {"KO<x/>OK", SedaOutcome::unknown},
      {"<x/>OK", SedaOutcome::unknown},
      {"OK<x xmlns=\"urn:y\"/>", SedaOutcome::unknown}};
  for (const auto& [code, outcome] : codes) {
    const auto read_back = read(reply(code));
    ASSERT_TRUE(read_back.operator bool()) << code << ": " << read_back.error().what();
    EXPECT_EQ(read_back->outcome, outcome) << code;
  }
  EXPECT_EQ(read(reply(" \n OK\t"))->outcome, SedaOutcome::accepted);
  EXPECT_EQ(read(reply("O<![CDATA[K]]>"))->outcome, SedaOutcome::accepted);
}

std::string unit_event(const std::string& outcome) {
  return "<ArchiveUnit id=\"AU-PP-1\"><Management><LogBook><Event><EventTypeCode>LFC.CHECK"
         "</EventTypeCode><EventDateTime>2026-03-01T10:00:00</EventDateTime><Outcome>" +
         outcome +
         "</Outcome><OutcomeDetail>LFC.CHECK.X</OutcomeDetail></Event></LogBook></Management>"
         "</ArchiveUnit>";
}

TEST(SedaReply, gives_no_full_consent_where_an_event_does_not) {
  const auto refused = read(reply("OK", package(unit_event("KO"))));
  ASSERT_OK(refused);
  EXPECT_EQ(refused->outcome, SedaOutcome::accepted_in_part);
  EXPECT_EQ(refused->units[0].outcome, SedaOutcome::refused);
  EXPECT_EQ(refused->events[0].about, "AU-PP-1");
  EXPECT_EQ(refused->events[0].outcome_detail, "LFC.CHECK.X");

  EXPECT_EQ(read(reply("OK", package(unit_event("OK"))))->outcome, SedaOutcome::accepted);
  EXPECT_EQ(read(reply("OK", package(unit_event("?"))))->outcome, SedaOutcome::accepted_in_part);
  EXPECT_EQ(read(reply("KO", package(unit_event("OK"))))->outcome, SedaOutcome::refused);
}

TEST(SedaReply, reads_all_messages_versions_and_prefixes) {
  for (const char* const version : {"v2.1", "v2.2", "v2.3"}) {
    const std::string space = "fr:gouv:culture:archivesdefrance:seda:" + std::string(version);
    const auto acknowledgement =
        read("<s:Acknowledgement xmlns:s=\"" + space +
             "\"><s:Date>2026-03-01T10:00:00+01:00</s:Date><s:MessageIdentifier>ack</"
             "s:MessageIdentifier><s:MessageReceivedIdentifier>2026-V-001</"
             "s:MessageReceivedIdentifier><s:Sender><s:Identifier>adp</s:Identifier></s:Sender>"
             "<s:Receiver><s:Identifier>apur</s:Identifier></s:Receiver></s:Acknowledgement>");
    ASSERT_OK(acknowledgement);
    EXPECT_EQ(acknowledgement->outcome, SedaOutcome::received);
    EXPECT_EQ(acknowledgement->request_identifier, "2026-V-001");
    EXPECT_EQ(acknowledgement->sender, "adp");
    EXPECT_EQ("v" + std::string(seda_version_text(acknowledgement->version)), version);
  }
  std::string request = reply("OK");
  for (std::size_t at = 0; (at = request.find("ArchiveTransferReply", at)) != std::string::npos;)
    request.replace(at, 20, "ArchiveTransferRequestReply");
  ASSERT_OK(read(request));
  EXPECT_EQ(read(request)->message, SedaMessage::request_reply);
}

TEST(SedaReply, hears_nothing_from_other_vocabularies) {
  const auto read_back = read(
      reply("KO",
            "<x:ReplyCode xmlns:x=\"urn:x\">OK</x:ReplyCode><ReplyCode xmlns=\"\">OK</ReplyCode>"
            "<x xmlns=\"urn:y\"><ReplyCode xmlns=\"" +
                std::string(kSpace) + "\">OK</ReplyCode></x>"));
  ASSERT_OK(read_back);
  EXPECT_EQ(read_back->outcome, SedaOutcome::refused);
}

TEST(SedaReply, refuses_what_is_hostile_or_damaged_with_a_stable_reason) {
  const std::string good = reply("OK");
  const std::string other_space = reply("OK", "", "fr:gouv:culture:archivesdefrance:seda:v1.0");
  const auto without = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  const auto with = [&](const std::string& middle) { return reply("OK", middle); };
  const std::vector<std::tuple<std::string, Code, std::string>> cases{
      {"", Code::invalid, "xml-roots"},
      {"OK", Code::invalid, "xml-roots"},
      {good.substr(0, good.size() / 2), Code::invalid, "xml-syntax"},
      {good + good.substr(good.find("<Archive")), Code::invalid, "xml-roots"},
      {"<!DOCTYPE a [<!ENTITY b \"OK\">]>" + good.substr(good.find("<Archive")), Code::invalid,
       "xml-doctype"},
      {reply("&xxe;"), Code::invalid, "xml-entity"},
      {reply("\xFF"), Code::invalid, "xml-encoding"},
      {reply(std::string(1, '\0')), Code::invalid, "xml-character"},
      {reply("&#0;"), Code::invalid, "xml-character"},
      {"<ArchiveTransferReply/>", Code::invalid, "seda-not-a-reply"},
      {"<html xmlns=\"http://www.w3.org/1999/xhtml\"/>", Code::invalid, "seda-not-a-reply"},
      {"<ArchiveTransfer xmlns=\"" + std::string(kSpace) + "\"/>", Code::invalid,
       "seda-not-a-reply"},
      {"<s:ArchiveTransferReply xmlns=\"" + std::string(kSpace) + "\"/>", Code::invalid,
       "xml-namespace"},
      {"<ArchiveTransferReply xmlns=\"" + std::string(kSpace) + "\"/>", Code::invalid,
       "seda-missing"},
      {other_space, Code::unsupported, "seda-version"},
      {reply("OK", "", "fr:gouv:culture:archivesdefrance:seda:v2.2 "), Code::unsupported,
       "seda-version"},
      {reply("OK", "", "fr:gouv:culture:archivesdefrance:seda:v9.9"), Code::unsupported,
       "seda-version"},
      {with("<ReplyCode>KO</ReplyCode>"), Code::invalid, "seda-duplicate"},
      {with("<GrantDate>2020-01-01T00:00:00Z</GrantDate>"), Code::invalid, "seda-duplicate"},
      {with("<MessageRequestIdentifier>x</MessageRequestIdentifier>"), Code::invalid,
       "seda-duplicate"},
      {with("<MessageIdentifier>x</MessageIdentifier>"), Code::invalid, "seda-duplicate"},
      {with("<ArchivalAgency><Identifier>x</Identifier></ArchivalAgency>"), Code::invalid,
       "seda-duplicate"},
      {with(package("<ArchiveUnit id=\"a\"/><ArchiveUnit id=\"a\"/>")), Code::invalid,
       "seda-duplicate"},
      {with(package("", "<BinaryDataObject id=\"a\"/><BinaryDataObject id=\"a\"/>")), Code::invalid,
       "seda-duplicate"},
      {with(package("<ArchiveUnit id=\"a\"><LogBook><Event><Outcome>OK</Outcome><Outcome>KO"
                    "</Outcome></Event></LogBook></ArchiveUnit>")),
       Code::invalid, "seda-duplicate"},
      {with(package("<ArchiveUnit/>")), Code::invalid, "seda-missing"},
      {with(package("<ArchiveUnit id=\"AU-A\"><Content><OriginatingSystemId>B</OriginatingSystemId>"
                    "</Content></ArchiveUnit>")),
       Code::invalid, "seda-contradiction"},
      {without("2026-03-01T09:59:00Z", "yesterday"), Code::invalid, "seda-date"},
      {without("2026-03-01T09:59:00Z", "2026-02-30T09:59:00Z"), Code::invalid, "seda-date"},
      {without("2026-03-01T10:00:00.000", ""), Code::invalid, "seda-date"},
      {without("<MessageRequestIdentifier>2026-V-001</MessageRequestIdentifier>", ""),
       Code::invalid, "seda-missing"},
      {without("atr-1", " \n "), Code::invalid, "seda-missing"},
      {without("<ReplyCode>", "<ReplyCode a=\"1\" a=\"2\">"), Code::invalid, "xml-attribute"},
      {reply("OK",
             "<Comment>" + std::string(limits::kSedaReplyTextBytesMax + 1, 'a') + "</Comment>"),
       Code::limit, "seda-limit"},
      {reply("OK",
             [] {
               std::string deep;
               for (int i = 0; i < 100'000; ++i)
                 deep += "<a>";
               return deep;
             }()),
       Code::limit, "xml-depth"},
  };
  EXPECT_GE(cases.size(), 25U);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& [text, code, reason] = cases[i];
    const auto read_back = read(text);
    ASSERT_FALSE(read_back) << "case " << i;
    EXPECT_EQ(read_back.error().code(), code) << "case " << i << read_back.error().what();
    EXPECT_EQ(read_back.error().reason(), reason) << "case " << i << read_back.error().what();
  }
}

TEST(SedaReply, bounds_what_is_many_and_small) {
  std::string units;
  for (std::size_t i = 0; i <= limits::kSedaReplyEntriesMax; ++i)
    units += "<ArchiveUnit id=\"u" + std::to_string(i) + "\"/>";
  EXPECT_FAILS(read(reply("OK", package(units))), Code::limit);
  std::string events = "<Operation>";
  for (std::size_t i = 0; i <= limits::kSedaReplyEntriesMax; ++i)
    events += "<Event/>";
  EXPECT_FAILS(read(reply("OK", events + "</Operation>")), Code::limit);
  std::string names;
  for (std::size_t i = 0; names.size() < (12u << 20); ++i)
    names += "<n" + std::to_string(i) + "/>";
  EXPECT_FAILS(read(reply("OK", names)), Code::limit);
}

}  // namespace
}  // namespace versement::mets
