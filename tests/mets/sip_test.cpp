#include "mets/sip.hpp"

#include <algorithm>
#include <optional>

#include "store/base/limits.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/package.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::mets {
namespace {

const Submission kSubmission{.agreement = "CV-2026-01",
                             .submitter = {"apur", "Apur & <associés>"},
                             .archive = {"", "Archives de Paris"}};

using Texts = std::map<std::string, std::string>;

PackageInput package(std::size_t files) {
  PackageInput input;
  input.objid = "PP-PHOTO-0001";
  input.description.title = {{"fr", "Marché «central» & <façade>"}, {"km", "ផ្សារធំថ្មី"}};
  input.archivist = {"apur", "Apur"};
  input.created = *Timestamp::parse("2026-01-15T09:30:00Z");
  std::vector<PayloadFile> payload;
  for (std::size_t i = 0; i < files; ++i) {
    PayloadFile file;
    file.path = i == 0 ? "METS.xml" : "clichés/" + std::to_string(i) + " +&.jpg";
    file.size_bytes = i;
    file.sha512 = digest_of(Algorithm::sha512, file.path);
    file.format.media_type = "image/jpeg";
    file.original_name = file.path;
    payload.push_back(std::move(file));
  }
  input.files = payload_of(std::move(payload));
  return input;
}

// The METS files, read against what is held.
Result<void> check(const PackageInput& input, const Texts& texts) {
  std::map<std::string, Held> held;
  for (const auto& [path, text] : texts)
    held[path] = {.size_bytes = text.size(), .sha512 = digest_of(Algorithm::sha512, text)};
  TRY(input.files.for_each([&](const PayloadFile& file) -> Result<void> {
    held[payload_folder() + file.path] = {.size_bytes = file.size_bytes, .sha512 = file.sha512};
    return {};
  }));
  PackageCheck check([&](const std::string& path) -> std::optional<Found> {
    const auto found = held.find(path);
    if (found == held.end()) return std::nullopt;
    return Found{found->second, static_cast<std::size_t>(std::distance(held.begin(), found))};
  });
  for (const auto& [path, text] : texts) {
    const Produce produce = [&text = text](const Sink& sink) { return sink(text); };
    TRY(check.reading(path, produce)([](std::string_view) { return Result<void>(); }));
  }
  return check.finish(held.size());
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Lines of `a`, in its order, that `b` lacks.
std::vector<std::string> lacking(const std::string& a, const std::string& b) {
  std::vector<std::string> there = lines_of(b);
  std::sort(there.begin(), there.end());
  std::vector<std::string> out;
  for (const std::string& line : lines_of(a)) {
    if (!std::binary_search(there.begin(), there.end(), line)) out.push_back(line);
  }
  return out;
}

TEST(Sip, is_a_package_of_which_only_headers_differ) {
  for (const std::size_t count : {0u, 2u}) {
    const PackageInput input = package(count);
    const Texts aip = testing::rendered(input);
    const Texts sip = testing::submitted(aip, kSubmission);
    EXPECT_OK(check(input, sip));
    for (const auto& [path, text] : aip) {
      if (path.ends_with("METS.xml")) continue;
      EXPECT_TRUE(sip.at(path) == text) << path;
    }
    const std::string inner = std::string("representations/") +
                              std::string(count == 0 ? kNotice : kRepresentation) + "/METS.xml";
    // Root element, header; and in the package's METS twice what it says of the other.
    EXPECT_EQ(lacking(aip.at(inner), sip.at(inner)).size(), 2u);
    EXPECT_EQ(lacking(aip.at("METS.xml"), sip.at("METS.xml")).size(), 4u);
    const std::vector<std::string> added{
        "    <mets:agent ROLE=\"CREATOR\" TYPE=\"ORGANIZATION\">",
        "      <mets:name>Apur &amp; &lt;associés&gt;</mets:name>",
        "    <mets:agent ROLE=\"PRESERVATION\" TYPE=\"ORGANIZATION\">",
        "      <mets:name>Archives de Paris</mets:name>",
        "    <mets:altRecordID TYPE=\"SUBMISSIONAGREEMENT\">CV-2026-01</mets:altRecordID>"};
    for (const char* const path : {"METS.xml", inner.c_str()}) {
      const auto more = lacking(sip.at(path), aip.at(path));
      for (const std::string& line : added)
        EXPECT_EQ(std::count(more.begin(), more.end(), line), 1) << line;
      EXPECT_TRUE(sip.at(path).find("\"AIP\"") == std::string::npos);
      EXPECT_TRUE(sip.at(path).find("E-ARK-AIP") == std::string::npos);
    }
  }
}

TEST(Sip, says_whether_the_archive_has_the_item) {
  PackageInput input = package(1);
  input.earlier = {*Timestamp::parse("2025-01-15T09:30:00Z")};
  const Texts aip = testing::rendered(input);
  Submission submission = kSubmission;
  for (const bool replaces : {false, true}) {
    submission.replaces = replaces;
    const Texts sip = testing::submitted(aip, submission);
    EXPECT_OK(check(input, sip));
    for (const char* const path : {"METS.xml", "representations/master/METS.xml"}) {
      const bool other = sip.at(path).find("RECORDSTATUS=\"REPLACEMENT\"") != std::string::npos;
      EXPECT_EQ(other, replaces);
      EXPECT_EQ(sip.at(path).find("RECORDSTATUS=\"NEW\"") != std::string::npos, !replaces);
    }
  }
}

TEST(Sip, of_a_large_mets_is_known_from_its_beginning) {
  constexpr std::size_t kFiles = 20'000;
  const Texts aip = testing::rendered(package(kFiles));
  const std::string& text = aip.at("representations/master/METS.xml");
  ASSERT_GT(text.size(), kFiles * 300);
  // What cannot be read behind the first piece is not asked for.
  class Beginning : public ViewSource {
   public:
    using ViewSource::ViewSource;
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override {
      if (offset > 0) return Error(Code::io, "behind the beginning");
      return ViewSource::read_at(offset, into);
    }
  } source(text);
  const auto splices = sip_splices(source, kSubmission, {});
  ASSERT_OK(splices);
  EXPECT_EQ(splices->size(), 1u);
  EXPECT_LT(splices->front().text.size(), 4096u);
}

TEST(Sip, refuses_a_mets_that_is_none_of_ours) {
  const auto begins = [](const std::string& header) {
    return "<mets:mets xmlns:mets=\"m\" xmlns:csip=\"c\" PROFILE=\"p\">" + header +
           "<mets:fileSec></mets:fileSec></mets:mets>";
  };
  const std::string open = "<mets:metsHdr csip:OAISPACKAGETYPE=\"AIP\">";
  const std::string agent = "<mets:agent><mets:name>n</mets:name></mets:agent>";
  const std::string end = "</mets:metsHdr>";
  const auto splices = [](const std::string& text,
                          const std::map<std::string, Held>& changed = {}) {
    ViewSource source(text);
    return sip_splices(source, kSubmission, changed);
  };
  EXPECT_OK(splices(begins(open + agent + end)));
  for (const std::string& text :
       {begins(""), begins(open + end), begins("<mets:metsHdr csip:OAISPACKAGETYPE=\"AIP\"/>"),
        begins("<mets:metsHdr csip:OAISPACKAGETYPE=\"SIP\">" + agent + end),
        begins("<mets:metsHdr>" + agent + end), begins(agent),
        begins(open + agent + "<mets:altRecordID>1</mets:altRecordID>" + end),
        begins(open + agent + open + end + end), begins("<mets:dmdSec/>" + open + agent + end),
        open + agent + end}) {
    const auto refused = splices(text);
    EXPECT_FAILS(refused, Code::invalid);
  }
  const auto changed = splices(begins(open + agent + end), {{"a/METS.xml", {}}});
  EXPECT_FAILS(changed, Code::invalid);
  EXPECT_EQ(changed.error().reason(), "mets-reference");
  std::string far;
  for (int i = 0; i < 6; ++i)
    far += "<!--" + std::string(900u << 10, ' ') + "-->";
  EXPECT_FAILS(splices(begins(far + open + agent + end)), Code::invalid);
}

TEST(Spliced, any_part_of_it_is_the_slice_of_the_whole) {
  const testing::TemporaryFolder folder;
  const std::string base = "0123456789abcdefghij";
  testing::write(folder / "base", base);
  const std::vector<Splice> splices{
      {0, 3, "<first>"}, {5, 5, "<put in>"}, {7, 9, ""}, {9, 10, "x"}, {20, 20, "<end>"}};
  const std::string whole = "<first>34<put in>56xabcdefghij<end>";
  const auto file = std::make_shared<FileSource>(real_disk(), folder / "base", base.size());
  SplicedSource source(file, splices);
  ASSERT_EQ(source.size_bytes(), whole.size());
  std::string runs;
  for (std::size_t offset = 0; offset < whole.size(); ++offset) {
    for (const std::size_t size : {1u, 2u, 100u}) {
      std::string bytes(size, '\0');
      const auto count = source.read_at(offset, std::as_writable_bytes(std::span(bytes)));
      ASSERT_OK(count);
      ASSERT_GT(*count, 0u);
      EXPECT_EQ(bytes.substr(0, *count), whole.substr(offset, *count));
    }
    auto run = source.run_at(offset);
    ASSERT_OK(run);
    ASSERT_LE(offset + run->length, whole.size());
    if (run->length == 0) continue;
    EXPECT_EQ(base.substr(run->offset, run->length), whole.substr(offset, run->length));
    runs += whole[offset];
  }
  EXPECT_EQ(runs, "3456abcdefghij");  // All that lies in the file comes from there.
  std::byte byte{};
  EXPECT_EQ(*source.read_at(whole.size(), {&byte, 1}), 0u);
  EXPECT_EQ(source.run_at(whole.size())->length, 0u);
}

TEST(Spliced, without_splices_is_the_base) {
  SplicedSource source(std::make_shared<MemorySource>("bytes"), {});
  EXPECT_EQ(*read_source(source, 100), "bytes");
}

}  // namespace
}  // namespace versement::mets
