#include "mets/sip.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <optional>
#include <set>

#include "mets/xml.hpp"
#include "mets/xml_scan.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::mets {
namespace {

constexpr std::string_view kSipProfile = "https://earksip.dilcis.eu/profile/E-ARK-SIP-v2-2-0.xml";
constexpr std::string_view kRoot = "mets:mets";
constexpr std::string_view kHeader = "mets:metsHdr";
constexpr std::string_view kAgent = "mets:agent";
constexpr std::string_view kKind = "csip:OAISPACKAGETYPE";
// A header and what stands before it: the title of the item is the longest of it.
constexpr std::size_t kHeadBytesMax = 4u << 20;
// How deep agents lie in a METS.
constexpr std::size_t kAgentDepth = 2;

using Values = std::vector<std::pair<std::string_view, std::string>>;

// The start tag again, with other values. As our writer makes them: what is not changed stays the
// same to the byte.
std::string with_values(const XmlTag& tag, const Values& values) {
  std::string out = "<" + std::string(tag.name());
  for (const auto& [name, value] : tag.attributes()) {
    const auto other =
        std::find_if(values.begin(), values.end(),
                     [&wanted = name](const auto& each) { return each.first == wanted; });
    out += " " + name + "=\"";
    append_xml_escaped(other == values.end() ? value : other->second, &out);
    out += '"';
  }
  return out + ">";
}

void write_agent(XmlWriter& xml, std::string_view role, const Organisation& organisation) {
  xml.open(kAgent, {{"ROLE", role}, {"TYPE", "ORGANIZATION"}});
  xml.text("mets:name", organisation.name);
  if (!organisation.id.empty()) {
    xml.text("mets:note", organisation.id, {{"csip:NOTETYPE", "IDENTIFICATIONCODE"}});
  }
  xml.close();
}

// What follows the agents of an AIP. The submitter is an organisation, and the only CREATOR besides
// the software: commons-ip takes a contact person for a second submitter (SIP15).
std::string rest_of_header(const Submission& submission) {
  XmlWriter xml(kAgentDepth);
  write_agent(xml, "CREATOR", submission.submitter);
  write_agent(xml, "PRESERVATION", submission.archive);
  xml.text("mets:altRecordID", submission.agreement, {{"TYPE", "SUBMISSIONAGREEMENT"}});
  return xml.take();
}

Error foreign(const std::string& what) {
  return Error(Code::invalid, "the METS " + what).as("mets-header");
}

// Finds the places that read otherwise.
class Finder : public XmlEvents {
 public:
  Finder(const Submission& submission, const std::map<std::string, Held>& changed)
      : submission_(submission), changed_(changed), scanner_(*this) {}

  Result<void> run(Source& mets) {
    std::vector<std::byte> buffer(limits::kChunkBytes);
    for (std::uint64_t offset = 0; offset < mets.size_bytes();) {
      TRY_SET(const std::size_t count, mets.read_at(offset, buffer));
      const std::string_view piece(reinterpret_cast<const char*>(buffer.data()), count);
      if (!headed_) head_ += piece;
      if (!headed_ && head_.size() > kHeadBytesMax)
        return foreign("has no header at its beginning");
      TRY(scanner_.feed(piece));
      if (headed_ && changed_.empty()) return {};
      offset += count;
    }
    TRY(scanner_.finish());
    if (!headed_) return foreign("has no header");
    for (const auto& [path, held] : changed_) {
      if (named_.contains(path)) continue;
      return Error(Code::invalid, "the METS does not name " + path).as("mets-reference");
    }
    return {};
  }

  std::vector<Splice> take() { return std::move(splices_); }

  Result<void> open(const XmlTag& tag) override {
    if (!headed_) return open_in_head(tag);
    if (tag.name() == "mets:file") {
      file_ = tag;
      file_place_ = scanner_.place();
    }
    if (tag.name() != "mets:FLocat") return {};
    TRY_SET(const std::string path, percent_decode(tag.attribute("xlink:href")));
    const auto found = changed_.find(path);
    if (found == changed_.end()) return {};
    if (!file_) return foreign("names a file outside of an element 'mets:file'");
    named_.insert(path);
    splices_.push_back(
        {.begin = file_place_.begin,
         .end = file_place_.end,
         .text = with_values(*file_, {{"SIZE", std::to_string(found->second.size_bytes)},
                                      {"CHECKSUM", found->second.sha512.hex()}})});
    file_.reset();
    return {};
  }

  Result<void> text(std::string_view /*text*/) override { return {}; }

  Result<void> close(std::string_view name) override {
    if (name == "mets:file") file_.reset();
    if (headed_) return {};
    if (name == kAgent) agents_end_ = scanner_.place().end;
    return name == kHeader ? end_head() : Result<void>();
  }

 private:
  Result<void> open_in_head(const XmlTag& tag) {
    const XmlScanner::Place place = scanner_.place();
    if (tag.name() == kRoot && root_.end == 0) {
      root_ = place;
      root_text_ = with_values(tag, {{"PROFILE", std::string(kSipProfile)}});
      return {};
    }
    if (tag.name() == kHeader && root_.end > 0 && header_.end == 0) {
      if (tag.attribute(kKind) != "AIP") return foreign("is not that of an AIP");
      header_ = place;
      header_text_ = with_values(
          tag, {{kKind, "SIP"}, {"RECORDSTATUS", submission_.replaces ? "REPLACEMENT" : "NEW"}});
      return {};
    }
    // Others belong behind the agents, where the agreement is put.
    const bool ours =
        tag.name() == kAgent || tag.name() == "mets:name" || tag.name() == "mets:note";
    if (ours && header_.end > 0) return {};
    return foreign("begins with '" + printable(tag.name()) + "'");
  }

  Result<void> end_head() {
    if (agents_end_ == 0) return foreign("has a header without agents");
    const auto raw = [&](std::uint64_t begin, std::uint64_t end) {
      return std::string_view(head_).substr(begin, end - begin);
    };
    std::string text(raw(0, root_.begin));
    text += root_text_;
    text += raw(root_.end, header_.begin);
    text += header_text_;
    text += raw(header_.end, agents_end_);
    text += "\n" + rest_of_header(submission_);
    text.pop_back();  // The line end stands behind the last agent.
    splices_.push_back({.begin = 0, .end = agents_end_, .text = std::move(text)});
    headed_ = true;
    head_ = {};
    return {};
  }

  const Submission& submission_;
  const std::map<std::string, Held>& changed_;
  XmlScanner scanner_;
  std::string head_;  // the document up to the end of its header, and a little more
  bool headed_ = false;
  XmlScanner::Place root_, header_;
  std::string root_text_, header_text_;
  std::uint64_t agents_end_ = 0;
  std::optional<XmlTag> file_;  // the one whose content is read
  XmlScanner::Place file_place_;
  std::set<std::string> named_;
  std::vector<Splice> splices_;
};

}  // namespace

Result<std::vector<Splice>> sip_splices(Source& mets,
                                        const Submission& submission,
                                        const std::map<std::string, Held>& changed) {
  Finder finder(submission, changed);
  TRY(finder.run(mets));
  return finder.take();
}

SplicedSource::SplicedSource(std::shared_ptr<Source> base, std::vector<Splice> splices)
    : base_(std::move(base)), splices_(std::move(splices)), size_bytes_(base_->size_bytes()) {
  std::uint64_t end = 0;
  for (const Splice& splice : splices_) {
    assert(end <= splice.begin && splice.begin <= splice.end && splice.end <= base_->size_bytes());
    end = splice.end;
    size_bytes_ = size_bytes_ - (splice.end - splice.begin) + splice.text.size();
  }
}

SplicedSource::Place SplicedSource::place_of(std::uint64_t offset) const {
  std::uint64_t base = 0;  // what lies before `offset` in the base
  for (const Splice& splice : splices_) {
    const std::uint64_t before = splice.begin - base;
    if (offset < before) return {.offset = base + offset, .left = before - offset};
    offset -= before;
    if (offset < splice.text.size()) {
      return {.splice = &splice, .offset = offset, .left = splice.text.size() - offset};
    }
    offset -= splice.text.size();
    base = splice.end;
  }
  return {.offset = base + offset, .left = base_->size_bytes() - base - offset};
}

Result<std::size_t> SplicedSource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset >= size_bytes_ || into.empty()) return std::size_t{0};
  const Place place = place_of(offset);
  const auto wanted = into.first(std::min<std::uint64_t>(into.size(), place.left));
  if (place.splice == nullptr) return base_->read_at(place.offset, wanted);
  std::memcpy(wanted.data(), place.splice->text.data() + place.offset, wanted.size());
  return wanted.size();
}

Result<FileRun> SplicedSource::run_at(std::uint64_t offset) {
  if (offset >= size_bytes_) return FileRun{};
  const Place place = place_of(offset);
  if (place.splice != nullptr) return FileRun{};
  TRY_SET(FileRun run, base_->run_at(place.offset));
  run.length = std::min(run.length, place.left);
  return run;
}

}  // namespace versement::mets
