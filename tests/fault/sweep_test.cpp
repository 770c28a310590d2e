// Every call to the disk fails once: in an ingest, a further version, a seal, an append to the
// journal and in the recovery from each of them. Afterwards the store is in the old state or the
// new one, what was acknowledged is there, and whoever asked was told why not.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>

#include "bagit/create.hpp"
#include "service/ingest/run.hpp"
#include "service/transfer/seda.hpp"
#include "store/journal/verify.hpp"
#include "store/ocfl/validate.hpp"
#include "store/query.hpp"
#include "tests/fault/fault_disk.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/fixed_clock.hpp"
#include "tests/support/sealed_transfer.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement {
namespace {

namespace fs = std::filesystem;
using testing::Fault;
using testing::FaultDisk;
using testing::kTransfer;

constexpr std::uint64_t kCallsMax = 5000;  // more than any scenario has

// What the store tells of itself, as far as the scenarios change it.
struct Seen {
  std::map<std::string, std::uint64_t> versions;  // of items
  std::string transfer_state;
  bool collection = false;
  friend bool operator==(const Seen&, const Seen&) = default;
};

class Sweep : public ::testing::Test {
 protected:
  using Act = std::function<Result<void>(store::Store&)>;

  void SetUp() override {
    write_deposit("first", "Titre");
    ASSERT_OK(store::Store::create(real_disk(), clock_, base(), "archive.example/test"));
  }

  Path base() const { return folder_ / "base"; }
  Path deposit() const { return folder_ / "deposit"; }

  void write_deposit(const std::string& bytes, const std::string& title) {
    testing::write_deposit(deposit(), bytes, title);
  }

  store::StoreOptions options(const Path& data) const {
    store::StoreOptions options;
    options.data = data;
    options.min_free_bytes = 0;
    options.publish_delay = std::chrono::hours(1);  // The publisher's calls would make N vary.
    return options;
  }

  // Changes the base with a disk that works.
  void prepare(const Act& act) {
    auto store = store::Store::open(real_disk(), clock_, options(base()));
    ASSERT_OK(store);
    ASSERT_OK(act(**store));
  }

  ingest::IngestRequest request_of(const Path& deposit) {
    ingest::IngestRequest request;
    request.job = Uuid::at(clock_.now());
    request.agent = "tester";
    request.folder = deposit;
    request.collection = *Slug::parse("c");
    request.workers = 1;
    return request;
  }

  Result<ingest::IngestResult> ingest_all(store::Store& store, bool new_versions = false) {
    ingest::IngestRequest request = request_of(deposit());
    request.new_versions = new_versions;
    ingest::IngestProgress progress;
    return run_ingest(store, request, progress, {});
  }

  // The first finding of an ingest that refused an item, as an error.
  static Error left_out(const store::Store& store, const ingest::IngestResult& result) {
    std::string said = "an item was left out: ";
    const auto read =
        store.read_evidence(result.evidence_digest, [&](const json::Object& line) -> Result<void> {
          if (json::text_at(line, "kind") == "finding")
            said += json::text_at(line, "detail") + "; ";
          return {};
        });
    if (!read) said += read.error().what();
    return Error(Code::invalid, said);
  }

  static Seen look(store::Store& store) {
    Seen seen;
    for (const char* slug : {"A-1", "B-1"}) {
      const auto item = store::item_record(store, slug);
      if (item) seen.versions[slug] = json::number_at(*item, "head_version");
    }
    const auto transfer = store::transfer_record(store, kTransfer);
    if (transfer) seen.transfer_state = json::text_at(*transfer, "state");
    seen.collection = static_cast<bool>(store::collection_record(store, "made"));
    return seen;
  }

  // The data folder is whole: OCFL, journal, nothing left over.
  void expect_whole(const Path& data, const store::Store& store) {
    std::map<std::string, std::string> found;
    ocfl::RootCheckOptions check;
    check.each = [&](const ocfl::CheckedObject& object) {
      found[object.id] = object.inventory_digest;
      for (const ocfl::Problem& problem : object.problems)
        ADD_FAILURE() << object.path << ": " << problem.code << " " << problem.detail;
    };
    const auto problems = ocfl::check_root_contents(real_disk(), data / "store", check);
    ASSERT_OK(problems);
    for (const ocfl::Problem& problem : *problems)
      ADD_FAILURE() << problem.path << ": " << problem.code << " " << problem.detail;
    for (const char* slug : {"A-1", "B-1"}) {
      const auto item = store::item_record(store, slug);
      if (!item) continue;
      EXPECT_EQ(found[json::text_at(*item, "object")], json::text_at(*item, "inventory_digest"));
      found.erase(json::text_at(*item, "object"));
    }
    if (const auto transfer = store::transfer_record(store, kTransfer)) {
      const std::string object = json::text_at(*transfer, "object");
      if (!object.empty()) {
        EXPECT_TRUE(found.contains(object));
        found.erase(object);
      }
    }
    EXPECT_TRUE(found.empty()) << "an object that the journal does not know: "
                               << found.begin()->first;
    EXPECT_TRUE(list_sorted(real_disk(), data / "work")->empty());
    EXPECT_TRUE(list_sorted(real_disk(), data / "quarantine")->empty());
  }

  void expect_journal(const Path& data) {
    const auto key = journal::key_beside(real_disk(), data / "journal");
    ASSERT_OK(key);
    const auto report = journal::verify_journal(real_disk(), data / "journal", {.key = *key},
                                                [](std::uint64_t, std::string_view) {});
    ASSERT_OK(report);
    for (const journal::JournalFinding& finding : report->findings)
      ADD_FAILURE() << finding.file << ": " << finding.code << " " << finding.detail;
  }

  // Runs `act` with the fault at call 1, 2, 3 … until it is never reached.
  void sweep(const std::string& name, Fault fault, const Act& act) {
    Seen old;
    Seen fresh;
    {
      const Path data = copy_base();
      auto store = store::Store::open(real_disk(), clock_, options(data));
      ASSERT_OK(store);
      old = look(**store);
      ASSERT_OK(act(**store));
      fresh = look(**store);
      ASSERT_NE(old, fresh);
    }
    std::uint64_t at = 1;
    std::uint64_t acknowledged = 0;
    for (; at < kCallsMax && !HasFatalFailure(); ++at) {
      bool reached = false;
      SCOPED_TRACE(name + ", " + testing::fault_name(fault) + " at call " + std::to_string(at));
      one(fault, at, act, old, fresh, &reached, &acknowledged);
      if (!reached) break;
      if (HasFailure()) return;
    }
    ASSERT_LT(at, kCallsMax);
    std::cout << "  " << name << ": " << testing::fault_name(fault) << " at each of " << at - 1
              << " calls; " << acknowledged
              << " times it was done nevertheless, or at once when tried "
              << "again\n";
  }

  void one(Fault fault,
           std::uint64_t at,
           const Act& act,
           const Seen& old,
           const Seen& fresh,
           bool* reached,
           std::uint64_t* acknowledged) {
    const Path data = copy_base();
    FaultDisk disk;
    bool done = false;
    {
      auto store = store::Store::open(disk, clock_, options(data));
      ASSERT_OK(store);
      disk.arm(fault, at);
      const auto outcome = act(**store);
      if (fault != Fault::dead) *reached = disk.disarm();
      done = static_cast<bool>(outcome);
      if (!done) {
        EXPECT_FALSE(outcome.error().what().empty());
        EXPECT_NE(outcome.error().code(), Code::internal) << outcome.error().what();
      }
      // Without a restart: the same again works, or the store says that it needs one.
      if (fault != Fault::dead && !done) try_again(**store, act, disk, fault, &done);
      if (done && fault != Fault::dead) {
        EXPECT_EQ(look(**store), fresh);
      }
      if (fault == Fault::dead) *reached = !done || disk.disarm();
      if (fault == Fault::dead && *reached) disk.arm(fault, 1);  // Nobody tidies up.
    }
    disk.disarm();
    SCOPED_TRACE(disk.failed_call());
    if (done && *reached) ++*acknowledged;
    {
      auto store = store::Store::open(real_disk(), clock_, options(data));
      ASSERT_OK(store);
      const Seen now = look(**store);
      if (done) {
        EXPECT_EQ(now, fresh) << "what was acknowledged is not there";
      }
      for (const auto& [slug, version] : now.versions) {
        const auto before = old.versions.find(slug);
        const std::uint64_t was = before == old.versions.end() ? 0 : before->second;
        EXPECT_TRUE(version == was || version == fresh.versions.at(slug)) << slug << " " << version;
      }
      expect_whole(data, **store);
      // What failed can be done now, or was done.
      const auto again = act(**store);
      EXPECT_TRUE(again || again.error().code() == Code::exists ||
                  again.error().code() == Code::conflict)
          << again.error().what();
      EXPECT_EQ(look(**store), fresh);
      expect_whole(data, **store);
    }
    expect_journal(data);
  }

  static void try_again(
      store::Store& store, const Act& act, const FaultDisk& disk, Fault fault, bool* done) {
    const auto again = act(store);
    if (again) {
      *done = true;
      return;
    }
    const bool told = again.error().reason() == "read-only" && store.read_only_reason();
    const bool there =
        again.error().code() == Code::exists || again.error().code() == Code::conflict;
    EXPECT_TRUE(told || there) << again.error().what();
    // A full disk is no reason to stop for good. But the journal's space is reserved before an
    // object is moved in: a file system that breaks that promise leaves work for the next start.
    // So does one that needs space to rename over a file.
    const std::string& call = disk.failed_call();
    const bool promise_broken =
        (call.find("/journal/tail-") != std::string::npos && call.starts_with("write")) ||
        (call.find("/inventory.json") != std::string::npos && call.starts_with("rename"));
    if (fault == Fault::no_space && !promise_broken) {
      EXPECT_FALSE(told) << again.error().what();
    }
  }

  Path copy_base() {
    const Path data = folder_ / "data";
    EXPECT_OK(remove_tree(real_disk(), data));
    fs::copy(base(), data, fs::copy_options::recursive);
    return data;
  }

  testing::TemporaryFolder folder_;
  testing::FixedClock clock_;
};

const Fault kFaults[] = {Fault::io, Fault::no_space, Fault::descriptors, Fault::short_write,
                         Fault::dead};

class EachFault : public Sweep, public ::testing::WithParamInterface<Fault> {};

TEST_P(EachFault, of_an_append_to_the_journal) {
  sweep("append", GetParam(), [](store::Store& store) -> Result<void> {
    journal::Event event = store.event(journal::type::kCollectionCreated, "tester");
    event.objects["collection"] = "made";
    event.detail["collection"] = json::Object{{"id", "made"}};
    TRY(store.append(std::move(event)));
    return {};
  });
}

// Wherever it ends, the journal is opened by one of the keys, and leads from the old one to it.
TEST_P(EachFault, of_the_replacement_of_the_journal_s_key) {
  std::uint64_t at = 1;
  std::uint64_t replaced = 0;
  for (; at < kCallsMax && !HasFailure(); ++at) {
    const Path data = copy_base();
    const auto old = journal::key_beside(real_disk(), data / "journal");
    ASSERT_OK(old);
    FaultDisk disk;
    store::StoreOptions replacing = options(data);
    replacing.replace_key = true;
    disk.arm(GetParam(), at);
    bool done = false;
    {
      const auto store = store::Store::open(disk, clock_, replacing);
      done = store && !(*store)->read_only_reason();
    }
    const bool reached = disk.disarm();
    SCOPED_TRACE("call " + std::to_string(at) + ": " + disk.failed_call());
    {
      const auto store = store::Store::open(real_disk(), clock_, options(data));
      ASSERT_OK(store);
      ASSERT_FALSE((*store)->read_only_reason()) << *(*store)->read_only_reason();
      const bool changed = !((*store)->journal().key() == *old);
      EXPECT_TRUE(changed || !done) << "what was acknowledged is not there";
      replaced += changed ? 1 : 0;
      ASSERT_OK((*store)->append((*store)->event("test", "tester")));
      ASSERT_OK((*store)->journal().publish());
      EXPECT_FALSE(*path_exists(real_disk(), data / "secrets" / "journal.key.next"));
    }
    expect_journal(data);
    const auto report = journal::verify_data_folder(real_disk(), data, {.key = *old},
                                                    [](std::uint64_t, std::string_view) {});
    ASSERT_OK(report);
    for (const journal::JournalFinding& finding : report->findings)
      ADD_FAILURE() << finding.file << ": " << finding.code << " " << finding.detail;
    if (!reached) break;
  }
  ASSERT_LT(at, kCallsMax);
  std::cout << "  key: " << testing::fault_name(GetParam()) << " at each of " << at - 1
            << " calls; " << replaced
            << " times it was replaced nevertheless, or by the start after it\n";
}

TEST_P(EachFault, of_an_ingest) {
  // Long enough to be written past the page cache, with an end that fills no block.
  write_deposit(std::string((1u << 20) + 4096, 'f') + "first", "Titre");
  sweep("ingest", GetParam(), [this](store::Store& store) -> Result<void> {
    TRY_SET(const ingest::IngestResult result, ingest_all(store));
    if (result.items_stored + result.items_unchanged == 2) return {};
    return left_out(store, result);
  });
}

TEST_P(EachFault, of_a_packed_bag) {
  bagit::CreateOptions bag;
  bag.sources = {deposit() / "objects"};
  bag.target = folder_ / "bag.tar";
  bag.form = bagit::BagForm::tar;
  bag.info = {{"External-Identifier", "A-1"}};
  const auto made = bagit::create_bag(real_disk(), bag);
  ASSERT_OK(made);
  sweep("packed bag", GetParam(), [this, &bag](store::Store& store) -> Result<void> {
    ingest::IngestRequest request = request_of(bag.target);
    request.defaults.rights.conditions["fr"] = "Libre";
    request.defaults.rights.credit_line["fr"] = "Apur";
    ingest::IngestProgress progress;
    TRY_SET(const ingest::IngestResult result, run_ingest(store, request, progress, {}));
    if (result.items_stored + result.items_unchanged == 1) return {};
    return left_out(store, result);
  });
}

TEST_P(EachFault, of_a_further_version) {
  prepare([this](store::Store& store) -> Result<void> {
    TRY(ingest_all(store));
    return {};
  });
  write_deposit("second", "Autre titre");
  sweep("version", GetParam(), [this](store::Store& store) -> Result<void> {
    TRY_SET(const ingest::IngestResult result, ingest_all(store, true));
    if (result.items_updated + result.items_unchanged == 2) return {};
    return left_out(store, result);
  });
}

TEST_P(EachFault, of_a_seal) {
  prepare([this](store::Store& store) -> Result<void> {
    TRY(ingest_all(store));
    return testing::make_draft(store, {"A-1", "B-1"});
  });
  sweep("seal", GetParam(), [](store::Store& store) { return testing::seal_draft(store); });
}

// Made and read to its end, as it is sent.
Result<std::string> read_seda(store::Store& store, transfer::SedaArchives& archives) {
  TRY_SET(const json::Object transfer, store::transfer_record(store, kTransfer));
  TRY(store::check_seal_object(store, transfer));
  TRY_SET(const auto zip, archives.archive(transfer, mets::kSedaDefault));
  TRY(zip->check_at(0));
  std::string bytes;
  std::array<char, 16 * 1024> piece{};
  while (bytes.size() < zip->size_bytes()) {
    TRY_SET(const std::size_t count,
            zip->read_at(bytes.size(), std::as_writable_bytes(std::span(piece))));
    if (count == 0) return Error(Code::internal, "the archive ends early");
    bytes.append(piece.data(), count);
  }
  return bytes;
}

// Nothing is stored here: each answer is the whole archive or says why there is none, the same
// question again is answered, and nothing of a half-made manifest stays.
TEST_P(EachFault, of_a_seda_archive) {
  // The conditions stand with each file: a manifest that does not stay in memory, but goes to the
  // disk.
  testing::write_deposit(deposit(), "first", "Titre", std::string(20'000, 'l'));
  std::string table = testing::read(deposit() / "metadata/metadata.csv");
  for (char page = 'a'; page < 'o'; ++page) {
    const std::string file = std::string("objects/b/page ") + page + ".txt";
    testing::write(deposit() / file, file);
    table += file + ",B-1,,,,\n";
  }
  testing::write(deposit() / "metadata/metadata.csv", table);
  prepare([this](store::Store& store) -> Result<void> {
    TRY_SET(const ingest::IngestResult result, ingest_all(store));
    if (result.items_stored != 2) return left_out(store, result);
    TRY(testing::make_draft(store, {"A-1", "B-1"}));
    return testing::seal_draft(store);
  });
  const Path data = copy_base();
  std::string whole;
  {
    const auto store = store::Store::open(real_disk(), clock_, options(data));
    ASSERT_OK(store);
    transfer::SedaArchives archives(**store);
    auto read = read_seda(**store, archives);
    ASSERT_OK(read);
    whole = *std::move(read);
  }
  ASSERT_GT(whole.size(), limits::kChunkBytes);
  std::uint64_t at = 1;
  std::uint64_t whole_nevertheless = 0;
  std::map<std::string, std::uint64_t> told;
  for (; at < kCallsMax && !HasFailure(); ++at) {
    FaultDisk disk;
    const auto store = store::Store::open(disk, clock_, options(data));
    ASSERT_OK(store);
    std::uint64_t damages = 0;
    (*store)->set_on_damage([&damages](const auto&, const auto&, const Error&) { ++damages; });
    transfer::SedaArchives archives(**store);
    disk.arm(GetParam(), at);
    const auto read = read_seda(**store, archives);
    const bool reached = disk.disarm();
    SCOPED_TRACE("call " + std::to_string(at) + ": " + disk.failed_call());
    if (read) {
      EXPECT_TRUE(*read == whole) << "an archive with wrong bytes was sent to its end";
      if (reached) ++whole_nevertheless;
    } else {
      EXPECT_TRUE(reached) << read.error().what();
      ++told[std::string(code_name(read.error().code()))];
      EXPECT_FALSE(read.error().what().empty());
      EXPECT_NE(read.error().code(), Code::internal) << read.error().what();
      // A disk that did not answer says nothing about the bytes.
      EXPECT_NE(read.error().code(), Code::corrupt) << read.error().what();
    }
    // A file that the device does not give is told of, as unreadable.
    const bool unreadable = !read && read.error().code() == Code::io;
    EXPECT_LE(damages, unreadable ? 1u : 0u);
    const auto again = read_seda(**store, archives);
    ASSERT_OK(again);
    EXPECT_TRUE(*again == whole);
    EXPECT_FALSE((*store)->read_only_reason());
    if (!reached) break;
  }
  ASSERT_LT(at, kCallsMax);
  {
    const auto store = store::Store::open(real_disk(), clock_, options(data));
    ASSERT_OK(store);
    expect_whole(data, **store);
  }
  std::cout << "  seda: " << testing::fault_name(GetParam()) << " at each of " << at - 1
            << " calls; " << whole_nevertheless << " times the archive was whole nevertheless;";
  for (const auto& [code, count] : told)
    std::cout << " " << count << " " << code;
  std::cout << "\n";
  EXPECT_GT(at, 1u) << "the fault met no call";
}

INSTANTIATE_TEST_SUITE_P(Faults, EachFault, ::testing::ValuesIn(kFaults), [](const auto& each) {
  std::string name = testing::fault_name(each.param);
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

// A fault in the recovery from a fault: the service is killed at a call of an ingest or a further
// version, and at every call of the start that follows.
class Recovery : public Sweep {
 protected:
  void killed_at_each_call_of_the_next_start(const Act& act, const std::string& name) {
    std::uint64_t runs = 0;
    // Every eleventh call of the act: the interesting ones come in rows.
    for (std::uint64_t at = 1; at < kCallsMax; at += 11) {
      const Path half = folder_ / "half";
      ASSERT_OK(remove_tree(real_disk(), half));
      fs::copy(base(), half, fs::copy_options::recursive);
      FaultDisk disk;
      bool reached = false;
      {
        auto store = store::Store::open(disk, clock_, options(half));
        ASSERT_OK(store);
        disk.arm(Fault::dead, at);
        reached = !act(**store);
        disk.arm(Fault::dead, 1);
      }
      disk.disarm();
      if (!reached) break;
      for (std::uint64_t start = 1; start < kCallsMax; start += 4) {
        SCOPED_TRACE(name + " killed at " + std::to_string(at) + ", start at " +
                     std::to_string(start));
        const Path data = folder_ / "data";
        ASSERT_OK(remove_tree(real_disk(), data));
        fs::copy(half, data, fs::copy_options::recursive);
        FaultDisk second;
        second.arm(Fault::dead, start);
        const bool opened = static_cast<bool>(store::Store::open(second, clock_, options(data)));
        second.disarm();
        ++runs;
        {
          auto store = store::Store::open(real_disk(), clock_, options(data));
          ASSERT_OK(store);
          expect_whole(data, **store);
          ASSERT_OK(act(**store));
        }
        expect_journal(data);
        ASSERT_FALSE(HasFailure());
        if (opened) break;
      }
    }
    std::cout << "  " << name << ": " << runs << " interrupted recoveries\n";
    EXPECT_GT(runs, 100u);
  }
};

TEST_F(Recovery, of_an_ingest) {
  killed_at_each_call_of_the_next_start(
      [this](store::Store& store) -> Result<void> {
        TRY_SET(const ingest::IngestResult result, ingest_all(store));
        if (result.items_stored + result.items_unchanged == 2) return {};
        return left_out(store, result);
      },
      "ingest");
}

TEST_F(Recovery, of_a_further_version) {
  prepare([this](store::Store& store) -> Result<void> {
    TRY(ingest_all(store));
    return {};
  });
  write_deposit("second", "Autre titre");
  killed_at_each_call_of_the_next_start(
      [this](store::Store& store) -> Result<void> {
        TRY_SET(const ingest::IngestResult result, ingest_all(store, true));
        if (result.items_updated + result.items_unchanged == 2) return {};
        return left_out(store, result);
      },
      "version");
}

}  // namespace
}  // namespace versement
