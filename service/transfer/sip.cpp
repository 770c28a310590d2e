#include "service/transfer/sip.hpp"

#include <functional>
#include <map>
#include <span>
#include <vector>

#include "mets/package.hpp"
#include "service/transfer/bag.hpp"
#include "service/transfer/stored_members.hpp"
#include "store/base/digest.hpp"
#include "store/query.hpp"

namespace versement::transfer {
namespace {

constexpr std::string_view kMets = "METS.xml";
constexpr std::size_t kTagDigits = 32;

// Calls `each` with all bytes of a source.
Result<void> for_each_piece(Source& source,
                            const std::function<void(std::span<const std::byte>)>& each) {
  std::vector<std::byte> buffer(limits::kChunkBytes);
  for (std::uint64_t offset = 0; offset < source.size_bytes();) {
    TRY_SET(const std::size_t count, source.read_at(offset, buffer));
    each(std::span<const std::byte>(buffer).first(count));
    offset += count;
  }
  return {};
}

// A METS file as it reads in the SIP.
struct Rewritten {
  std::vector<mets::Splice> splices;
  mets::Held held;
  std::uint32_t crc32 = 0;

  std::size_t memory_bytes() const {
    std::size_t bytes = 0;
    for (const mets::Splice& splice : splices)
      bytes += sizeof(splice) + splice.text.capacity();
    return bytes;
  }
};

// Thread safe once run() is through.
class Plan {
 public:
  Plan(store::Store& store, std::string_view slug, std::uint32_t version)
      : slug_(slug), version_(version), stored_(store, "") {}

  Result<void> run(store::Store& store, const mets::Submission& submission) {
    TRY_SET(const json::Object item, store::item_record(store, slug_));
    TRY_SET(const ObjectId object, ObjectId::parse(json::text_at(item, "object")));
    stored_.begin_object(object, slug_, version_);
    std::map<std::string, Mets> found;
    std::vector<std::size_t> of_representations;
    std::size_t number = 0;
    TRY(store::for_each_file(store, slug_, version_, [&](const index::FileRow& row) {
      if (is_mets(row.path)) found.emplace(row.path, Mets{number, row.sha512});
      stored_.add(row.path, row);
      ++number;
      return true;
    }));
    stored_.shrink();
    // Those of the representations first: the package's own names them.
    std::map<std::string, mets::Held> changed;
    const auto root = found.find(std::string(kMets));
    if (root == found.end()) return Error(Code::internal, "the item has no METS.xml");
    for (const auto& [path, mets] : found) {
      if (path == kMets) continue;
      TRY(rewrite(mets, submission, {}));
      changed.emplace(path, rewritten_.at(mets.member).held);
    }
    TRY(rewrite(root->second, submission, changed));
    root_ = root->second.member;
    return {};
  }

  // The members of the archive, below a folder that is called as the METS says (CSIPSTR2).
  std::shared_ptr<const bagit::MemberList> members() const {
    auto members = std::make_shared<bagit::MemberList>();
    const auto all = stored_.members();
    for (std::size_t member = 0; member < all->size(); ++member) {
      const auto& shape = all->shape(member);
      const auto other = rewritten_.find(member);
      const bool same = other == rewritten_.end();
      members->add(slug_ + "/" + all->path(member),
                   same ? shape.size_bytes : other->second.held.size_bytes,
                   same ? shape.known_crc() : other->second.crc32);
    }
    members->shrink();
    return members;
  }

  Result<std::shared_ptr<Source>> open(std::size_t member) {
    TRY_SET(auto source, stored_.open(member));
    const auto other = rewritten_.find(member);
    if (other == rewritten_.end()) return source;
    return std::shared_ptr<Source>(
        std::make_shared<mets::SplicedSource>(std::move(source), other->second.splices));
  }

  const Digest& digest() const { return rewritten_.at(root_).held.sha512; }

  std::size_t memory_bytes() const {
    std::size_t bytes = stored_.memory_bytes();
    for (const auto& [member, rewritten] : rewritten_)
      bytes += rewritten.memory_bytes();
    return bytes;
  }

 private:
  struct Mets {
    std::size_t member = 0;
    Digest sha512;
  };

  // Payload may have a file of that name, too.
  static bool is_mets(std::string_view path) {
    for (const std::string_view name : {mets::kRepresentation, mets::kNotice}) {
      if (path == "representations/" + std::string(name) + "/METS.xml") return true;
    }
    return path == kMets;
  }

  Result<void> rewrite(const Mets& mets,
                       const mets::Submission& submission,
                       const std::map<std::string, mets::Held>& changed) {
    TRY_SET(const auto stored, stored_.open(mets.member));
    Hasher before{Algorithm::sha512};
    TRY(for_each_piece(*stored, [&](std::span<const std::byte> bytes) { before.update(bytes); }));
    // It is about to be vouched for with a new digest.
    if (before.finish().front() != mets.sha512) {
      Error damage = Error(Code::corrupt, stored_.members()->path(mets.member) + " of " + slug_ +
                                              " is not what was stored")
                         .as("content-corrupt");
      TRY_SET(const FileRun run, stored->run_at(0));
      return run.guard ? run.guard->damaged(std::move(damage)) : damage;
    }
    auto splices = mets::sip_splices(*stored, submission, changed);
    // It was read when it was stored: what cannot be read now is a defect of ours.
    if (!splices && splices.error().code() == Code::invalid) {
      return Error(Code::internal, std::string(splices.error().what()));
    }
    if (!splices) return std::move(splices).error();
    Rewritten& rewritten = rewritten_[mets.member];
    rewritten.splices = std::move(*splices);
    mets::SplicedSource source(stored, rewritten.splices);
    rewritten.held.size_bytes = source.size_bytes();
    Hasher after{Algorithm::sha512};
    TRY(for_each_piece(source, [&](std::span<const std::byte> bytes) {
      after.update(bytes);
      rewritten.crc32 = crc32_update(rewritten.crc32, bytes);
    }));
    rewritten.held.sha512 = after.finish().front();
    return {};
  }

  const std::string slug_;
  const std::uint32_t version_;
  StoredMembers stored_;
  std::map<std::size_t, Rewritten> rewritten_;  // by member
  std::size_t root_ = 0;
};

mets::Organisation party_of(const json::Object& agreement, std::string_view name) {
  const json::Object& party = json::object_at(agreement, name);
  mets::Organisation out{.id = json::text_at(party, "id"), .name = json::text_at(party, "name")};
  if (out.name.empty()) out.name = out.id;
  return out;
}

}  // namespace

mets::Submission submission_of(const json::Object& agreement) {
  mets::Submission submission;
  submission.agreement = json::text_at(agreement, "reference");
  if (submission.agreement.empty()) submission.agreement = json::text_at(agreement, "id");
  submission.submitter = party_of(agreement, "transferring_agency");
  submission.archive = party_of(agreement, "archival_agency");
  return submission;
}

Result<SipArchive> Sips::archive(std::string_view slug,
                                 std::uint32_t version,
                                 const mets::Submission& submission) {
  std::string key(slug);
  for (const std::string& part :
       {std::to_string(version), std::string(submission.replaces ? "again" : "new"),
        submission.agreement, submission.submitter.id, submission.submitter.name,
        submission.archive.id, submission.archive.name}) {
    key += '\0' + part;
  }
  if (const auto there = kept_.find(key)) return *there;
  const std::scoped_lock making(making_);
  if (const auto there = kept_.find(key)) return *there;
  TRY_SET(const json::Object record, store_.index().record(store::keys::version(slug, version)));
  TRY_SET(const Timestamp created, Timestamp::parse(json::text_at(record, "created_at")));
  const auto plan = std::make_shared<Plan>(store_, slug, version);
  TRY(plan->run(store_, submission));
  const auto members = plan->members();
  TRY(check_crcs(*members));
  SipArchive made;
  made.zip = std::make_shared<bagit::ZipSource>(
      members, created, [plan](std::size_t member) { return plan->open(member); });
  made.etag = "\"" + plan->digest().hex().substr(0, kTagDigits) + "-sip" +
              std::to_string(kSipSerialisation) + "\"";
  kept_.add(key, std::make_shared<SipArchive>(made),
            plan->memory_bytes() + members->memory_bytes() + made.zip->memory_bytes());
  return made;
}

}  // namespace versement::transfer
