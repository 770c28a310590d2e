#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>

#include <zlib.h>

#include "bagit/open.hpp"
#include "bagit/profile.hpp"
#include "bagit/rules.hpp"
#include "bagit/tagfile.hpp"
#include "bagit/untar.hpp"
#include "bagit/validate.hpp"
#include "cli/bag_fetch.hpp"
#include "mets/seda_reply.hpp"
#include "mets/sip.hpp"
#include "mets/xml.hpp"
#include "mets/xml_scan.hpp"
#include "service/http/conditional.hpp"
#include "service/http/message.hpp"
#include "store/base/config.hpp"
#include "store/base/csv.hpp"
#include "store/base/digest.hpp"
#include "store/base/ids.hpp"
#include "store/base/json.hpp"
#include "store/base/path.hpp"
#include "store/base/text.hpp"
#include "store/base/time.hpp"
#include "store/journal/event.hpp"
#include "store/journal/key_change.hpp"
#include "store/journal/proof.hpp"
#include "store/journal/stamp.hpp"
#include "store/journal/tail.hpp"
#include "store/journal/tile.hpp"
#include "store/ocfl/inventory.hpp"
#include "store/ocfl/layout.hpp"
#include "store/ocfl/root.hpp"
#include "store/ocfl/validate.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/memory_tree.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/time_authority.hpp"

namespace versement::fuzz {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", what);
  std::abort();
}

namespace {

bool has_fraction(const json::Value& value) {
  if (value.is_double()) return true;
  if (value.is_array()) {
    return std::any_of(value.get_array().begin(), value.get_array().end(), has_fraction);
  }
  return value.is_object() &&
         std::any_of(value.get_object().begin(), value.get_object().end(),
                     [](const auto& member) { return has_fraction(member.value()); });
}

bool json_text(std::string_view text) {
  const auto value = json::parse_object(text);
  if (!value) return false;
  const std::string written = json::write(*value);
  const auto again = json::parse_object(written, written.size() + 1);
  // Boost.JSON 1.81 reads fractions to within a last digit; nothing of ours has any.
  require(static_cast<bool>(again) && (has_fraction(*value) || json::write(*again) == written),
          "what was read and written is read as the same");
  return true;
}

bool csv_table(std::string_view text) {
  const auto rows = csv::parse(text);
  if (!rows) return false;
  for (const csv::Row& row : *rows) {
    require(row.line > 0 && !row.cells.empty(), "a row has a line and cells");
    // Behind a header: a mark at the beginning of a file is none of the first cell.
    const auto again = csv::parse("header\r\n" + csv::write_row(row.cells));
    require(again && again->size() == 2, "a row that was written is a row");
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      require(csv::restored(again->back().cells.at(i)) == row.cells[i],
              "a cell that was written comes back");
    }
  }
  return true;
}

bool inventory(std::string_view text) {
  const auto parsed = ocfl::parse_inventory(text);
  if (!parsed) return false;
  for (const auto& [digest, paths] : parsed->manifest) {
    for (const std::string& path : paths)
      require(ocfl::is_clean_path(path), "no content path leaves the object");
  }
  for (const auto& [number, version] : parsed->versions) {
    for (const auto& [digest, paths] : version.state) {
      require(parsed->manifest.contains(digest) ||
                  std::any_of(parsed->manifest.begin(), parsed->manifest.end(),
                              [&](const auto& each) {
                                return equal_ignoring_ascii_case(each.first, digest);
                              }),
              "each digest of a state is in the manifest");
    }
  }
  const std::string written = ocfl::write_inventory(*parsed);
  require(static_cast<bool>(ocfl::parse_inventory(written)), "what we write of it can be read");
  return true;
}

const journal::Signer& signer() {
  static const testing::TemporaryFolder folder;
  static const auto made = journal::Signer::create(real_disk(), folder / "key", "fuzz.example/log");
  return *made;
}

bool checkpoint(std::string_view text) {
  const auto read = journal::read_checkpoint(text, signer().key());
  if (!read) return false;
  require(read->origin == "fuzz.example/log", "a signed note is of its key's log");
  return true;
}

bool proof(std::string_view text) {
  const auto parsed = journal::parse_proof(text);
  if (!parsed) return false;
  const auto again = journal::parse_proof(journal::proof_text(*parsed));
  require(again && again->entry == parsed->entry && again->index == parsed->index &&
              again->path == parsed->path && again->note == parsed->note,
          "a proof goes into text and back");
  (void)journal::check_proof(*parsed, signer().key());
  return true;
}

bool bundle(std::string_view bytes) {
  const auto entries = journal::entries_of_bundle(bytes);
  if (!entries) return false;
  std::string again;
  for (const std::string_view entry : *entries)
    journal::append_to_bundle(entry, &again);
  require(again == bytes, "a bundle is its entries and nothing else");
  return true;
}

bool event(std::string_view text) {
  const auto parsed = journal::event_of(text);
  if (!parsed) return false;
  const auto written = journal::entry_of(*parsed);
  require(!written || journal::event_of(*written), "an event that is written can be read");
  return true;
}

bool tail(std::string_view bytes) {
  static const testing::TemporaryFolder folder;
  const Path path = folder / journal::tail_name(0);
  testing::write(path, bytes);
  std::uint64_t end = 0;
  const auto scan =
      journal::scan_tail(real_disk(), path, [&](const journal::Frame& frame) -> Result<void> {
        require(frame.end_offset > end && frame.end_offset <= bytes.size(),
                "frames follow each other within the file");
        end = frame.end_offset;
        return {};
      });
  return scan && !scan->damaged && !scan->torn && end > 0;
}

bool tile(std::string_view bytes) {
  const auto hashes = journal::hashes_of_tile(bytes);
  if (!hashes) return false;
  require(journal::tile_bytes(*hashes) == bytes, "a tile is its hashes and nothing else");
  return true;
}

bool key(std::string_view text) {
  const auto parsed = journal::VerifierKey::parse(text);
  if (!parsed) return false;
  require(parsed->text() == text, "a key is written as itself");
  require(!parsed->verifies(text), "a key is no note");
  return true;
}

bool key_statement(std::string_view text) {
  const auto change = journal::read_key_statement(text);
  if (!change) return false;
  require(change->before.verifies(text) && change->after.verifies(text),
          "both keys have signed it");
  require(!journal::parse_checkpoint(text), "a statement is no checkpoint");
  return true;
}

constexpr std::string_view kStamped = "a note\n";

// Never destroyed: OpenSSL tidies up at the end of the process, maybe before.
const testing::TimeAuthority& authority() {
  static const auto* const made = new testing::TimeAuthority("Fuzz");
  return *made;
}

bool stamp(std::string_view bytes) {
  static const auto* const trusted =
      new Result(journal::StampAuthorities::parse(authority().certificate()));
  const auto read = journal::verify_stamp(bytes, kStamped, **trusted);
  if (!read) return false;
  require(read->time.ms() == 1'800'000'000'000, "no time but the one that was signed");
  return true;
}

const std::string& stamp_request() {
  static const std::string made = *journal::stamp_request(kStamped);
  return made;
}

bool stamp_reply(std::string_view bytes) {
  const auto token = journal::token_of_reply(bytes, stamp_request(), kStamped);
  if (!token) return false;
  require(journal::read_stamp(*token, kStamped).operator bool(), "a token that is taken is right");
  return true;
}

// One object of one file, in a root; what is mutated takes its place in it.
class SmallRoot {
 public:
  SmallRoot() {
    ocfl::Inventory inventory;
    inventory.id = "urn:uuid:019bc0fd-89c2-747d-bc8c-b58341d878a2";
    const std::string digest = digest_of(Algorithm::sha512, "hello\n").hex();
    inventory.manifest[digest] = {"v1/content/a"};
    ocfl::InventoryVersion& version = inventory.versions[1];
    version.created = "2026-01-15T09:30:00Z";
    version.message = "m";
    version.user_name = "u";
    version.user_address = "mailto:u@example.org";
    version.state[digest] = {"a"};
    text = ocfl::write_inventory(inventory);
    (void)ocfl::create_root(real_disk(), folder.path());
    object = folder.path() / ocfl::object_path(*ObjectId::parse(inventory.id));
    (void)make_folders(real_disk(), object / "v1/content");
    testing::write(object / "0=ocfl_object_1.1", "ocfl_object_1.1\n");
    testing::write(object / "v1/content/a", "hello\n");
    put_inventory(text);
  }

  void put_inventory(std::string_view bytes) const {
    for (const Path& at : {object, object / "v1"}) {
      testing::write(at / "inventory.json", bytes);
      testing::write(at / "inventory.json.sha512", sidecar_of(bytes));
    }
  }

  static std::string sidecar_of(std::string_view inventory) {
    return digest_of(Algorithm::sha512, inventory).hex() + "  inventory.json\n";
  }

  testing::TemporaryFolder folder;
  Path object;
  std::string text;
};

const SmallRoot& small_root() {
  static const SmallRoot made;
  return made;
}

bool is_whole(const ocfl::CheckedObject& object) {
  for (const ocfl::Problem& problem : object.problems)
    require(!problem.code.empty() && !problem.detail.empty(), "a problem has a code and says why");
  return !ocfl::any_fault(object.problems);
}

// The validator, with the inventory in root and version and sidecars that fit it.
bool validator_inventory(std::string_view text) {
  small_root().put_inventory(text);
  const bool good = is_whole(ocfl::check_one_object(real_disk(), small_root().object, {}));
  small_root().put_inventory(small_root().text);
  return good;
}

bool validator_sidecar(std::string_view text) {
  const Path file = small_root().object / "inventory.json.sha512";
  testing::write(file, text);
  const bool good = is_whole(ocfl::check_one_object(real_disk(), small_root().object, {}));
  testing::write(file, SmallRoot::sidecar_of(small_root().text));
  return good;
}

bool validator_layout(std::string_view text) {
  const Path file = small_root().folder.path() / "ocfl_layout.json";
  static const std::string right = testing::read(file);
  (void)real_disk().remove_file(file);
  testing::write(file, text);
  bool good = true;
  ocfl::RootCheckOptions options;
  options.each = [&](const ocfl::CheckedObject& object) { good = is_whole(object) && good; };
  const auto problems = ocfl::check_root_contents(real_disk(), small_root().folder.path(), options);
  (void)real_disk().remove_file(file);
  testing::write(file, right);
  return problems && !ocfl::any_fault(*problems) && good;
}

bool manifest(std::string_view text) {
  std::size_t lines = 0;
  const auto read =
      bagit::parse_manifest(text, [&](std::string_view checksum, std::string path) -> Result<void> {
        require(!checksum.empty() && !path.empty(), "an entry has a checksum and a path");
        ++lines;
        return {};
      });
  return read && lines > 0;
}

// A bag whose tag files come out of the input, two files of payload beside them. It must be judged
// alike whether it can be read anywhere or from its beginning to its end only.
bool bag(std::string_view text) {
  testing::MemoryTree tree;
  tree.files = {{"data/a", "alpha"}, {"data/\xC3\xA9", ""}};
  for (const std::string_view part : split(text, '\x1E')) {
    const std::size_t end = std::min(part.find('\n'), part.size());
    tree.files.emplace_back(part.substr(0, end), part.substr(std::min(end + 1, part.size())));
  }
  const auto told = [](const Result<bagit::Report>& report) {
    require(static_cast<bool>(report), "a bag in memory can be judged");
    std::string out(bagit::verdict_name(report->verdict));
    for (const bagit::Finding& finding : report->findings)
      out += "\n" + bagit::to_text(finding) + json::write(bagit::to_json(finding));
    return out;
  };
  const std::string anywhere = told(bagit::validate(tree, {.threads = 2}));
  tree.in_order = true;
  require(told(bagit::validate(tree, {})) == anywhere, "trees are judged alike");
  (void)told(bagit::validate(tree, {.mode = bagit::Mode::strict}));
  return anywhere.starts_with("valid") || anywhere.starts_with("incomplete");
}

bool bag_info(std::string_view text) {
  const auto info = bagit::parse_bag_info(text);
  if (!info) return false;
  for (const auto& [label, value] : *info)
    require(!label.empty(), "a label has letters");
  return !info->empty();
}

bool bagit_txt(std::string_view text) {
  return static_cast<bool>(bagit::parse_bagit_txt(text));
}

bool bagit_profile(std::string_view text) {
  const auto profile = bagit::Profile::parse(text);
  if (!profile) return false;
  require(!profile->identifier().empty(), "a profile has a name");
  bagit::BagFacts facts;
  facts.version = "1.0";
  facts.info = {{"Title", "T"}, {"Title", "x"}};
  facts.payload_algorithms = {"sha512"};
  facts.tag_files = [](const auto& each) { each("m/a.xml"); };
  facts.payload = [](const auto& each) { each("data/a.txt"); };
  profile->check(facts, true, [](const bagit::Finding& finding) {
    require(finding.code.starts_with("profile."), "a profile finds what is of a profile");
  });
  return true;
}

bool fetch_url(std::string_view text) {
  cli::FetchOptions options;
  options.hosts = {"good.example", "good.example:8443"};
  const std::string url(text);
  if (!cli::refusal_of_url(url, options).empty()) return false;
  require(cli::host_of_url(url).starts_with("good.example"), "only the named host is asked");
  require(url.find_first_of("\r\n \\") == std::string::npos, "an address is one plain word");
  return true;
}

class Counting : public bagit::MemberSink {
 public:
  Result<void> begin(const bagit::ArchiveMember& member) override {
    require(LogicalPath::parse(member.path.text()).operator bool(), "no member leaves the bag");
    left_ = member.size_bytes;
    ++members;
    return {};
  }
  Result<void> data(std::span<const std::byte> bytes) override {
    require(bytes.size() <= left_, "a member has no more bytes than its header says");
    left_ -= bytes.size();
    return {};
  }
  Result<void> end() override {
    require(left_ == 0, "a member that ends is whole");
    return {};
  }
  std::size_t members = 0;

 private:
  std::uint64_t left_ = 0;
};

bool tar(std::string_view bytes) {
  Counting sink;
  std::size_t at = 0;
  const auto read = bagit::read_tar(
      [&](std::span<std::byte> into) -> Result<std::size_t> {
        const std::size_t count = std::min(into.size(), bytes.size() - at);
        std::copy_n(as_bytes(bytes).begin() + static_cast<std::ptrdiff_t>(at), count, into.begin());
        at += count;
        return count;
      },
      {.members_max = 1000, .total_bytes_max = 1u << 20}, sink);
  return read && sink.members > 0;
}

// One file, which is these bytes.
class MemoryDisk : public Disk {
 public:
  explicit MemoryDisk(std::string_view bytes) : bytes_(bytes) {}
  Result<Fd> open(const Path& /*path*/, int /*flags*/, mode_t /*mode*/) override { return Fd(); }
  using Disk::info;
  Result<FileInfo> info(const Fd& /*fd*/, const Path& /*path*/) override {
    FileInfo info;
    info.kind = FileKind::regular;
    info.size_bytes = bytes_.size();
    return info;
  }
  Result<std::size_t> read_at(const Fd& /*fd*/,
                              std::span<std::byte> into,
                              std::uint64_t offset,
                              const Path& /*path*/) override {
    require(offset <= bytes_.size(), "nobody reads behind the end");
    const auto rest = bytes_.substr(offset);
    const std::size_t count = std::min(into.size(), rest.size());
    std::copy_n(as_bytes(rest).begin(), count, into.begin());
    return count;
  }

 private:
  std::string_view bytes_;
};

// Small enough that a bomb is one at the size of these inputs.
const bagit::ArchiveLimits kArchiveLimits{.members_max = 200,
                                          .total_bytes_max = 1u << 20,
                                          .name_bytes_max = 4096,
                                          .ratio_max = 100,
                                          .ratio_slack_bytes = 64 * 1024,
                                          .directory_bytes_max = 1u << 20};

class Reading : public bagit::Visitor {
 public:
  explicit Reading(bool sequential) : sequential_(sequential) {}
  Result<bool> entry(bagit::Entry entry) override {
    require(!open_, "a member ends before the next one");
    require(!entry.path.empty() && !entry.path.starts_with("./") &&
                (entry.path == "/" || !entry.path.ends_with('/')),
            "a name is as Entry promises");
    require(entry.target.empty() || entry.kind == bagit::EntryKind::link,
            "only links have targets");
    total_ += entry.size_bytes;
    require(total_ <= kArchiveLimits.total_bytes_max, "the limit of all bytes is kept");
    entries.push_back(std::move(entry));
    require(entries.size() <= kArchiveLimits.members_max, "the limit of members is kept");
    open_ = sequential_ && entries.back().kind == bagit::EntryKind::file;
    return true;
  }
  Result<void> data(std::span<const std::byte> bytes) override {
    require(open_ && !bytes.empty(), "data is of a member");
    content += std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    got_ += bytes.size();
    require(got_ <= entries.back().size_bytes, "no member is longer than it says");
    return {};
  }
  Result<void> end() override {
    require(open_ && got_ == entries.back().size_bytes, "a member that ends is whole");
    open_ = false;
    got_ = 0;
    return {};
  }
  void finding(std::string code, std::string /*path*/, std::string detail) override {
    require(code.starts_with("serialization.") && bagit::rule(code).code == code && !detail.empty(),
            "a finding is of the table");
    ++findings;
  }
  std::vector<bagit::Entry> entries;
  std::string content;  // of all, one after the other
  std::size_t findings = 0;

 private:
  bool sequential_;
  bool open_ = false;
  std::uint64_t got_ = 0;
  std::uint64_t total_ = 0;
};

// Lists and reads everything; nullopt when something is wrong.
std::optional<std::string> read_tree(bagit::Tree& tree) {
  Reading all(tree.sequential());
  const auto visited = tree.visit(all, {});
  bool good = visited && all.findings == 0;
  if (!tree.sequential()) {
    std::vector<std::byte> buffer(4096);
    for (std::size_t i = 0; i < all.entries.size(); ++i) {
      if (all.entries[i].kind != bagit::EntryKind::file) continue;
      const auto stream = tree.open(i, all.entries[i].path);
      good &= stream.operator bool();
      std::uint64_t total = 0;
      for (bool more = stream.operator bool(); more;) {
        const auto got = (*stream)->read(buffer);
        more = got && *got > 0;
        if (!got) {
          require(!got.error().reason().empty(), "a fault of content has its code");
          good = false;
        } else if (*got == 0) {
          require(total == all.entries[i].size_bytes, "a member that ends is whole");
        } else {
          total += *got;
          require(total <= all.entries[i].size_bytes, "no member is longer than it says");
          all.content += std::string_view(reinterpret_cast<const char*>(buffer.data()), *got);
        }
      }
    }
  }
  if (!good) return std::nullopt;
  return all.content;
}

std::optional<std::string> read_archive(std::string_view bytes) {
  MemoryDisk disk(bytes);
  const auto tree = bagit::open_archive(disk, "bag", kArchiveLimits);
  if (!tree) return std::nullopt;
  return read_tree(**tree);
}

bool archive(std::string_view bytes) {
  return read_archive(bytes).has_value();
}

// The same from a file and from a pipe. Checksums are set right first: a mutated header would
// hardly ever get past its own.
bool tar_tree(std::string_view input) {
  std::string bytes(input);
  for (std::size_t at = 0; at + 512 <= bytes.size(); at += 512) {
    if (bytes.compare(at + 257, 5, "ustar") != 0) continue;
    bytes.replace(at + 148, 8, "        ");
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i)
      sum += static_cast<unsigned char>(bytes[at + i]);
    char text[8];
    std::snprintf(text, sizeof(text), "%06o", sum);
    bytes.replace(at + 148, 7, text, 7);
  }
  std::size_t read = 0;
  const auto pipe = [&](std::span<std::byte> into) -> Result<std::size_t> {
    const std::size_t count = std::min(into.size(), bytes.size() - read);
    std::copy_n(as_bytes(bytes).begin() + static_cast<std::ptrdiff_t>(read), count, into.begin());
    read += count;
    return count;
  };
  const auto from_file = read_archive(bytes);
  const auto from_pipe = read_tree(*bagit::open_stream(pipe, "bag", kArchiveLimits));
  require(!from_pipe || from_pipe == from_file, "a pipe shows what a file does");
  return from_file.has_value();
}

// What a reader of a document finds of its elements, attributes and texts.
std::string elements_of(const mets::XmlElement& element) {
  std::string out = "<" + std::string(element.name()) + ">";
  element.for_each_child([&](const mets::XmlElement& child) { out += elements_of(child); });
  return out + "</>";
}

class Elements : public mets::XmlEvents {
 public:
  Result<void> open(const mets::XmlTag& tag) override {
    out_ += "<" + std::string(tag.name()) + ">";
    return {};
  }
  Result<void> text(std::string_view /*text*/) override { return {}; }
  Result<void> close(std::string_view /*name*/) override {
    out_ += "</>";
    return {};
  }
  const std::string& all() const { return out_; }

 private:
  std::string out_;
};

// Whatever the pieces, the same is found; and a tree is made of whatever is taken.
bool xml_scan(std::string_view text) {
  std::string found[2];
  bool taken[2];
  for (const std::size_t round : {std::size_t{0}, std::size_t{1}}) {
    Elements elements;
    mets::XmlScanner scanner(elements);
    Result<void> fed;
    const std::size_t piece = round == 0 ? text.size() + 1 : 7;
    for (std::size_t i = 0; i < text.size() && fed; i += piece)
      fed = scanner.feed(text.substr(i, piece));
    taken[round] = fed && scanner.finish();
    found[round] = elements.all();
  }
  require(taken[0] == taken[1], "pieces change what a scanner accepts");
  if (!taken[0]) return false;
  require(found[0] == found[1], "pieces change what a scanner finds");
  const auto document = mets::XmlDocument::parse(text);
  require(document || text.size() > limits::kXmlTreeBytesMax,
          "the scanner takes what the document does not");
  if (!document) return true;
  require(elements_of(document->root()) == found[0], "two readers find other elements");
  return true;
}

bool seda_reply(std::string_view text) {
  ViewSource source(text);
  const auto reply = mets::read_seda_reply(source);
  if (!reply) return false;
  require(!reply->identifier.empty() && !reply->request_identifier.empty(), "a message is named");
  const bool consent = reply->outcome == mets::SedaOutcome::accepted;
  require(!consent || mets::seda_code(reply->reply_code).outcome == mets::SedaOutcome::accepted,
          "only a code that consents is a consent");
  require(static_cast<bool>(json::parse_object(json::write(mets::to_json(*reply)))),
          "a message has a JSON form");
  return true;
}

// Of whatever has the header of an AIP: what is put in between keeps it XML.
bool sip(std::string_view text) {
  const auto source = std::make_shared<ViewSource>(text);
  const std::map<std::string, mets::Held> changed{{"a/METS.xml", {.size_bytes = 12, .sha512 = {}}}};
  auto splices = mets::sip_splices(
      *source, {.agreement = "A <1>", .submitter = {"", "S"}, .archive = {"a", "\"A\""}}, changed);
  if (!splices) return false;
  mets::SplicedSource spliced(source, std::move(*splices));
  const auto read = read_source(spliced, text.size() * 8 + 4096);
  require(read && read->size() == spliced.size_bytes(), "a SIP has as many bytes as it says");
  require(static_cast<bool>(mets::check_xml(*read)), "the METS of a SIP is XML again");
  return true;
}

bool xml(std::string_view text) {
  const auto document = mets::XmlDocument::parse(text);
  require(document || text.size() > limits::kXmlTreeBytesMax || !mets::check_xml(text),
          "the parser reads whatever the scan lets by");
  if (!document) return false;
  require(!document->root().name().empty(), "a document has a root");
  return true;
}

bool settings(std::string_view text) {
  static const testing::TemporaryFolder folder;
  testing::write(folder / "c.toml", text);
  auto config = Config::load(real_disk(), folder / "c.toml", "FUZZ_NOTHING");
  if (!config) return false;
  (void)config->text("a.text", "");
  (void)config->number("a.number", 1, 100);
  (void)config->size("a.size", 1);
  (void)config->duration("a.wait", std::chrono::seconds(1));
  (void)config->flag("a.flag", false);
  (void)config->list("a.list", {});
  return static_cast<bool>(config->finish());
}

bool logical_path(std::string_view text) {
  const auto path = LogicalPath::parse(text);
  if (!path) return false;
  const std::string& kept = path->text();
  require(
      !kept.empty() && kept.front() != '/' && ("/" + kept + "/").find("/../") == std::string::npos,
      "a path stays below its folder");
  require(kept.find('\0') == std::string::npos, "a path has no NUL");
  return true;
}

bool words(std::string_view text) {
  bool any = false;
  if (const auto time = Timestamp::parse(text)) {
    const auto again = Timestamp::parse(time->text());
    require(again && again->ms() == time->ms(), "a time is written as itself");
    any = true;
  }
  if (const auto uuid = Uuid::parse(text)) {
    require(Uuid::parse(uuid->text())->text() == uuid->text(), "a UUID is written as itself");
    any = true;
  }
  if (const auto number = parse_decimal(text)) {
    require(std::to_string(*number).size() <= text.size(), "a number is no longer than its digits");
    any = true;
  }
  if (const auto bytes = bytes_of_base64(text)) {
    require(base64_of(*bytes) == text, "base64 has one form");
    any = true;
  }
  any = parse_duration(text).operator bool() || any;
  any = parse_size(text).operator bool() || any;
  any = Slug::parse(text).operator bool() || any;
  any = ObjectId::parse(text).operator bool() || any;
  return any;
}

bool request(std::string_view text) {
  http::Request parsed;
  const bool good = http::parse_target(text, &parsed).operator bool();
  if (good) {
    for (const std::string& segment : parsed.segments)
      require(segment != ".." && segment != "." && segment.find('\0') == std::string::npos,
              "no segment climbs");
  }
  const http::RangeAnswer range = http::parse_range(text, 1000);
  if (range.kind == http::RangeAnswer::Kind::part) {
    require(range.range.length > 0 && range.range.first + range.range.length <= 1000,
            "a range lies within");
  }
  return good || range.kind == http::RangeAnswer::Kind::part;
}

std::string small_statement() {
  static const testing::TemporaryFolder folder;
  static const auto next =
      journal::Signer::create(real_disk(), folder / "next", "fuzz.example/log");
  return journal::key_statement(signer(), *next,
                                {.origin = "fuzz.example/log", .size = 3, .root = {}});
}

std::string small_reply() {
  return authority().reply(stamp_request(), 1'800'000'000);
}

std::string small_inventory() {
  ocfl::Inventory made;
  made.id = "urn:uuid:019bc0fd-89c2-747d-bc8c-b58341d878a2";
  const std::string a(128, 'a');
  const std::string b(128, 'b');
  made.manifest[a] = {"v1/content/a"};
  made.manifest[b] = {"v2/content/b"};
  made.fixity["sha256"][std::string(64, 'c')] = {"v1/content/a"};
  for (const std::uint32_t number : {1u, 2u}) {
    ocfl::InventoryVersion& version = made.versions[number];
    version.created = "2026-01-15T09:30:00Z";
    version.message = "m";
    version.user_name = "u";
    version.user_address = "mailto:u@example.org";
    version.state[a] = {"a", "copy of a"};
    if (number == 2) version.state[b] = {"b"};
  }
  return ocfl::write_inventory(made);
}

std::string small_event() {
  journal::Event made;
  made.time = *Timestamp::parse("2026-01-15T09:30:00.123Z");
  made.id = Uuid::at(made.time);
  made.type = "ingestion";
  made.agent = "tester";
  made.objects["item"] = "A-1";
  made.detail["files"] = json::Array{json::Object{{"path", "a"}, {"size", 3}}};
  return *journal::entry_of(made);
}

std::string small_proof() {
  journal::EntryProof made;
  made.entry = small_event();
  made.index = 2;
  made.path = {journal::leaf_hash("x"), journal::leaf_hash("y")};
  made.note = signer().sign({.origin = "fuzz.example/log", .size = 3, .root = {}});
  return journal::proof_text(made);
}

std::string small_tail() {
  std::string bytes = journal::tail_header(0);
  journal::append_frame(journal::FrameKind::entry, 0, small_event(), &bytes);
  journal::append_frame(journal::FrameKind::checkpoint, 1, "note\n", &bytes);
  journal::append_frame(journal::FrameKind::entry, 1, "second", &bytes);
  return bytes;
}

std::string small_bundle() {
  std::string bytes;
  for (const char* const entry : {"first", "", "third"})
    journal::append_to_bundle(entry, &bytes);
  return bytes;
}

// A ustar member.
std::string tar_member(std::string_view name,
                       char kind,
                       std::string_view content,
                       std::string_view link = {}) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
  };
  char size[12];
  std::snprintf(size, sizeof(size), "%011zo", content.size());
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, size);
  put(136, "00000000000");
  put(148, "        ");
  put(156, std::string_view(&kind, 1));
  put(157, link);
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char each : header)
    sum += static_cast<unsigned char>(each);
  char text[8];
  std::snprintf(text, sizeof(text), "%06o", sum);
  put(148, std::string_view(text, 7));
  header += content;
  header.resize((header.size() + 511) / 512 * 512, '\0');
  return header;
}

std::string small_tar() {
  return tar_member("bag/data/a.txt", '0', "hello") + std::string(1024, '\0');
}

std::string pax_record(const std::string& text) {
  const std::string rest = " " + text + "\n";
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length)
    ++length;
  return std::to_string(length) + rest;
}

// One of everything.
std::string large_tar() {
  std::string map = "1\n100\n5\n";
  map.resize(512, '\0');
  return tar_member("./bag/", '5', "") + tar_member("bag/a", '0', "hello") +
         tar_member("pax", 'x', pax_record("path=bag/longer") + pax_record("size=5")) +
         tar_member("bag/b", '0', "hello") +
         tar_member("././@LongLink", 'L', std::string_view("bag/long name\0", 14)) +
         tar_member("bag/c", '7', "") + tar_member("bag/d", '2', "", "a") +
         tar_member("pax", 'x',
                    pax_record("GNU.sparse.major=1") + pax_record("GNU.sparse.minor=0") +
                        pax_record("GNU.sparse.name=bag/e") +
                        pax_record("GNU.sparse.realsize=200")) +
         tar_member("bag/e", '0', map + "hello") +
         tar_member("pax", 'x',
                    pax_record("GNU.sparse.size=200") + pax_record("GNU.sparse.map=3,2,9,3")) +
         tar_member("bag/f", '0', "hello") + std::string(1024, '\0');
}

std::string linked_tar() {
  return tar_member("bag/a", '0', "hello") + tar_member("bag/b", '1', "", "bag/a") +
         tar_member("bag/c", '1', "", "bag/b") + std::string(1024, '\0');
}

// Of gzip, or of deflate alone.
std::string squeezed(std::string_view bytes, int window_bits) {
  z_stream stream{};
  require(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK,
          "a seed can be made");
  std::string in(bytes);
  std::string out(deflateBound(&stream, in.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "a seed can be made");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string little_endian(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i)
    bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

// A member that is stored, one that is deflated with its values behind it, and a link.
std::string small_zip() {
  std::string members;
  std::string directory;
  std::size_t count = 0;
  const auto add = [&](std::string_view name, std::string_view content, unsigned method,
                       unsigned flags, unsigned mode) {
    const std::string packed = method == 8 ? squeezed(content, -15) : std::string(content);
    const std::string values = little_endian(crc32_update(0, as_bytes(content)), 4) +
                               little_endian(packed.size(), 4) + little_endian(content.size(), 4);
    const std::string begin =
        little_endian(flags, 2) + little_endian(method, 2) + little_endian(0, 4);
    const std::size_t offset = members.size();
    members += "PK\3\4" + little_endian(20, 2) + begin +
               (flags == 8 ? std::string(12, '\0') : values) + little_endian(name.size(), 2) +
               little_endian(0, 2) + std::string(name) + packed;
    if (flags == 8) members += "PK\7\10" + values;
    directory += "PK\1\2" + little_endian(0x0314, 2) + little_endian(20, 2) + begin + values +
                 little_endian(name.size(), 2) + little_endian(0, 8) +
                 little_endian(std::uint64_t{mode} << 16, 4) + little_endian(offset, 4) +
                 std::string(name);
    ++count;
  };
  add("bag/", "", 0, 0, 040755);
  add("bag/a", "hello", 0, 0, 0100644);
  add("bag/b", std::string(300, 'b'), 8, 8, 0100644);
  add("bag/c", "a", 0, 0, 0120777);
  return members + directory + "PK\5\6" + little_endian(0, 4) + little_endian(count, 2) +
         little_endian(count, 2) + little_endian(directory.size(), 4) +
         little_endian(members.size(), 4) + little_endian(0, 2);
}

}  // namespace

const std::vector<Target>& targets() {
  static const std::vector<Target> all{
      {"json", {R"({"a":[1,-2.5e3,null,true],"b":{"c":"\u00e9\n"},"d":""})", "{}"}, json_text},
      {"csv",
       {"filename,identifier\r\n\"a,\"\"b\"\"\",1\r\n", "\xEF\xBB\xBFx;y\n1;2\n", "a\n\nb,c\n"},
       csv_table},
      {"inventory", {small_inventory()}, inventory},
      {"checkpoint",
       {signer().sign({.origin = "fuzz.example/log", .size = 7, .root = {}})},
       checkpoint},
      {"proof", {small_proof()}, proof},
      {"bundle", {small_bundle()}, bundle},
      {"event", {small_event()}, event},
      {"tail", {small_tail()}, tail},
      {"tile", {std::string(64, 'h')}, tile},
      {"key", {signer().key().text()}, key},
      {"key_statement", {small_statement()}, key_statement},
      {"stamp", {*journal::token_of_reply(small_reply(), stamp_request(), kStamped)}, stamp},
      {"stamp_reply", {small_reply()}, stamp_reply},
      {"validator_inventory", {small_root().text}, validator_inventory},
      {"validator_sidecar", {SmallRoot::sidecar_of(small_root().text)}, validator_sidecar},
      {"validator_layout",
       {testing::read(small_root().folder.path() / "ocfl_layout.json")},
       validator_layout},
      {"manifest",
       {std::string(64, 'a') + "  data/a.txt\n" + std::string(64, 'b') + " *data/b%0A%25.txt\r\n"},
       manifest},
      {"bag_info", {"Source-Organization: X\n  more\nBag-Size: 1 kB\r\nA: b\n"}, bag_info},
      {"bag",
       {"bagit.txt\nBagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n\x1E"
        "manifest-md5.txt\n2c1743a391305fbf367df8e4f069f9f9  data/a\n"
        "d41d8cd98f00b204e9800998ecf8427e  data/\xC3\xA9\n\x1E"
        "bag-info.txt\nPayload-Oxum: 5.2\nBagging-Date: 2026-01-02\n\x1E"
        "fetch.txt\nhttps://example.org/a 5 data/a\n",
        "bagit.txt\nBagIt-Version: 0.97\nTag-File-Character-Encoding: ISO-8859-1\n\x1E"
        "manifest-md5.txt\n2C1743A391305FBF367DF8E4F069F9F9 *./data/a\r"
        "d41d8cd98f00b204e9800998ecf8427e\tdata/\xE9\r\n"},
       bag},
      {"bagit_txt", {"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"}, bagit_txt},
      {"fetch_url", {"https://good.example:8443/a?b#c", "https://GOOD.example"}, fetch_url},
      {"bagit_profile",
       {R"({"BagIt-Profile-Info":{"BagIt-Profile-Identifier":"urn:p","Version":"1",)"
        R"("BagIt-Profile-Version":"1.4.0","Source-Organization":"S","External-Description":"D"},)"
        R"("Bag-Info":{"Title":{"required":true,"repeatable":false,"values":["T"]}},)"
        R"("Manifests-Required":["sha512"],"Tag-Files-Allowed":["m/[a-c]*.xml","?"],)"
        R"("Payload-Files-Required":["data/a.txt"],"Data-Empty":true,"Serialization":"required",)"
        R"("Accept-Serialization":["application/zip"],"Accept-BagIt-Version":["1.0"]})"},
       bagit_profile},
      {"tar", {small_tar()}, tar},
      {"tar_tree", {small_tar(), large_tar(), linked_tar()}, tar_tree},
      {"tar_gz",
       {squeezed(small_tar(), 31), squeezed(large_tar(), 31), squeezed(linked_tar(), 31),
        squeezed(large_tar().substr(0, 700), 31) + squeezed(large_tar().substr(700), 31)},
       archive},
      {"zip", {small_zip()}, archive},
      {"xml",
       {"<?xml version=\"1.0\" encoding=\"UTF-8\"?><m:a xmlns:m=\"urn:x\" b=\"1 &amp; 2\">"
        "<m:c>t&#xE9;xt</m:c><!-- c --><d/></m:a>",
        "\xEF\xBB\xBF<?xml-stylesheet href='x'?><a xml:lang='km'><![CDATA[<&]]>&amp;&#10;</a>\n"},
       xml},
      {"xml_scan",
       {"<?xml version=\"1.0\" encoding=\"UTF-8\"?><m:a xmlns:m=\"urn:x\" b='1 &amp; \"2\"'>"
        "<m:c>t&#xE9;xt</m:c><!-- c --><d/><![CDATA[<&]]><?p i?></m:a>"},
       xml_scan},
      {"sip",
       {"<mets:mets xmlns:mets='m' xmlns:csip='c' PROFILE='p'><mets:metsHdr "
        "csip:OAISPACKAGETYPE='AIP'><mets:agent><mets:name>n</mets:name></mets:agent>"
        "</mets:metsHdr><mets:file SIZE='1' CHECKSUM='2'><mets:FLocat xmlns:xlink='x' "
        "xlink:href='a/METS.xml'/></mets:file></mets:mets>"},
       sip},
      {"seda_reply",
       {"<ArchiveTransferReply xmlns=\"fr:gouv:culture:archivesdefrance:seda:v2.2\">"
        "<Date>2026-03-01T10:00:00Z</Date><MessageIdentifier>a</MessageIdentifier>"
        "<DataObjectPackage><DescriptiveMetadata><ArchiveUnit id=\"AU-A\"><Content>"
        "<SystemId>s</SystemId></Content><Event><Outcome>KO</Outcome></Event></ArchiveUnit>"
        "</DescriptiveMetadata></DataObjectPackage><ReplyCode>OK</ReplyCode>"
        "<MessageRequestIdentifier>r</MessageRequestIdentifier></ArchiveTransferReply>",
        "<s:Acknowledgement xmlns:s=\"fr:gouv:culture:archivesdefrance:seda:v2.1\"><s:Date>"
        "2026-03-01T10:00:00</s:Date><s:MessageIdentifier>a</s:MessageIdentifier>"
        "<s:MessageReceivedIdentifier>r</s:MessageReceivedIdentifier></s:Acknowledgement>"},
       seda_reply},
      {"settings",
       {"[a]\ntext=\"x\"\nnumber=3\nsize=\"4MiB\"\nwait=\"5s\"\nflag=true\nlist=[\"a\",\"b\"]\n"},
       settings},
      {"logical_path", {"data/é/scan 1.tif", "a"}, logical_path},
      {"words",
       {"2026-01-15T09:30:00.123Z", "019bc0fd-89c2-747d-bc8c-b58341d878a2", "18446744073709551615",
        "aGVsbG8=", "P90D", "10GiB", "A-1", "urn:uuid:019bc0fd-89c2-747d-bc8c-b58341d878a2"},
       words},
      {"request", {"/v1/items/A-1?limit=5&cursor=%41", "bytes=0-99", "bytes=-5"}, request},
  };
  return all;
}

}  // namespace versement::fuzz
