// versement journal: verify a journal, hand out proofs, check them.
#include <iostream>

#include "cli/command.hpp"
#include "cli/sealed.hpp"
#include "store/base/limits.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"
#include "store/journal/event.hpp"
#include "store/journal/key_change.hpp"
#include "store/journal/proof.hpp"
#include "store/journal/verify.hpp"

namespace versement::cli {
namespace {

Result<journal::VerifierKey> read_key(const Path& path,
                                      journal::KeyKind kind = journal::KeyKind::log) {
  TRY_SET(const std::string text, read_file(real_disk(), path, limits::kConfigBytesMax));
  auto key = journal::VerifierKey::parse(trim(text, " \t\r\n"));
  if (!key) return std::move(key).error().during(path.native());
  if (key->kind() == kind) return key;
  return Error(Code::invalid, path.native() + (kind == journal::KeyKind::log
                                                   ? " is the key of a witness, not of a journal"
                                                   : " is not the key of a witness"));
}

// ---------------------------------------------------------------------------- verify

struct VerifyFlags {
  std::string folder;
  std::string key;
  std::vector<std::string> checkpoints;
  std::vector<std::string> witnesses;
  std::string authorities;
};

struct Known {
  Path folder;  // of the journal
  journal::Trust trust;
  std::optional<journal::StampAuthorities> authorities;
  std::vector<journal::KeptCheckpoint> checkpoints;
};

Result<journal::StampAuthorities> read_authorities(const Path& path) {
  TRY_SET(const std::string pem, read_file(real_disk(), path, limits::kConfigBytesMax));
  auto authorities = journal::StampAuthorities::parse(pem);
  if (!authorities) return std::move(authorities).error().during(path.native());
  return authorities;
}

// Whom to trust, and what the journal must have as its beginning.
Result<Known> known_of(const VerifyFlags& flags) {
  Known known;
  known.folder = flags.folder;
  TRY_SET(const bool data, path_exists(real_disk(), known.folder / "versement.json"));
  if (data) known.folder /= "journal";
  TRY_SET(known.trust.key,
          flags.key.empty() ? journal::key_beside(real_disk(), known.folder) : read_key(flags.key));
  for (const std::string& path : flags.witnesses) {
    TRY_SET(journal::VerifierKey witness, read_key(path, journal::KeyKind::witness));
    known.trust.witnesses.push_back(std::move(witness));
  }
  if (!flags.authorities.empty()) {
    TRY_SET(known.authorities, read_authorities(flags.authorities));
  }
  for (const std::string& path : flags.checkpoints) {
    TRY_SET(std::string note, read_file(real_disk(), path, limits::kCheckpointBytesMax));
    known.checkpoints.push_back({std::move(note), path});
  }
  return known;
}

void tell_seen(Console& console,
               const std::string& what,
               const journal::Seen& seen,
               const std::string& flag) {
  if (seen.count == 0) return;
  const std::string of = std::to_string(seen.verified) + " of " + std::to_string(seen.count);
  if (seen.verified == 0) {
    console.note(what + ": " + of + " verified; name whom you trust: " + flag + " FILE");
    return;
  }
  console.line(what + ": " + of + " verified; the first " + std::to_string(seen.size) +
               " entries were there on " + seen.time + " (" + printable(seen.by) + ")");
}

void tell_verdict(Console& console,
                  const VerifyFlags& flags,
                  const Known& known,
                  const journal::JournalReport& report) {
  console.line(known.folder.native() + ": " + (report.good() ? "valid" : "INVALID") + ", " +
               std::to_string(report.size) + " entries, " + std::to_string(report.published) +
               " under the signed root " + report.root);
  if (!report.key.empty() && report.key != known.trust.key.text())
    console.line("The key was replaced; the one in force is " + report.key);
  tell_seen(console, "Time stamps", report.stamps, "--authorities");
  tell_seen(console, "Cosignatures", report.cosignatures, "--witness");
  if (flags.key.empty()) {
    console.note(
        "The key was taken from beside the journal; against forgery name one that came another "
        "way: --key FILE");
  }
  if (flags.checkpoints.empty()) {
    console.note(
        "Against a history rewritten by the key's holder name a checkpoint that you kept: "
        "--checkpoint FILE");
  }
}

json::Object seen_json(const journal::Seen& seen) {
  json::Object object{{"count", seen.count}, {"verified", seen.verified}};
  if (seen.verified == 0) return object;
  object["size"] = seen.size;
  object["by"] = seen.by;
  object["time"] = seen.time;
  return object;
}

Result<journal::JournalReport> verify_known(Console& console,
                                            const VerifyFlags& flags,
                                            const Known& known) {
  std::uint64_t count = 0;
  std::set<std::string> seals;
  const auto each = [&](std::uint64_t, std::string_view entry) {
    console.progress("Verifying", {{"done_files", ++count}});
    if (entry.find(journal::type::kTransferSealed) == std::string_view::npos) return;
    if (const auto event = journal::event_of(entry)) take_seal(*event, &seals);
  };
  if (known.folder == Path(flags.folder)) {
    return journal::verify_journal(real_disk(), known.folder, known.trust, each, known.checkpoints);
  }
  auto report =
      journal::verify_data_folder(real_disk(), flags.folder, known.trust, each, known.checkpoints);
  if (!report || seals.empty()) return report;
  // Once more with what the store itself has kept of the journal.
  std::vector<journal::KeptCheckpoint> kept = known.checkpoints;
  TRY_SET(auto sealed, sealed_checkpoints(flags.folder, seals));
  std::move(sealed.begin(), sealed.end(), std::back_inserter(kept));
  return journal::verify_data_folder(real_disk(), flags.folder, known.trust, each, kept);
}

int verify(Session& session, const VerifyFlags& flags) {
  Console& console = session.console();
  const auto unchecked = [&](const Error& error) {
    console.failure(error, kUnchecked, {});
    return kUnchecked;
  };
  auto known = known_of(flags);
  if (!known) return unchecked(known.error());
  if (known->authorities) known->trust.authorities = &*known->authorities;
  auto report = verify_known(console, flags, *known);
  console.end_progress();
  if (!report) return unchecked(report.error());
  const int status = report->good() ? kOk : kDamage;
  json::Array findings;
  for (const journal::JournalFinding& finding : report->findings) {
    if (console.json()) {
      findings.emplace_back(
          json::Object{{"code", finding.code}, {"file", finding.file}, {"detail", finding.detail}});
    } else {
      console.line(finding.code + "  " + finding.file + ": " + printable(finding.detail));
    }
  }
  if (console.json()) {
    console.document(json::Object{{"verdict", report->good() ? "valid" : "invalid"},
                                  {"origin", report->origin},
                                  {"published", report->published},
                                  {"size", report->size},
                                  {"root", report->root},
                                  {"key", report->key},
                                  {"stamps", seen_json(report->stamps)},
                                  {"cosignatures", seen_json(report->cosignatures)},
                                  {"findings", std::move(findings)},
                                  {"exit_code", status}});
  } else {
    tell_verdict(console, flags, *known, *report);
  }
  return status;
}

// ---------------------------------------------------------------------------- proofs

// A short text of the server's.
Result<std::string> text_of(Client& client, const std::string& path) {
  std::string text;
  TRY(client.download(
      path, 0, "", [](const Download&) -> Result<void> { return {}; },
      [&](std::span<const std::byte> bytes) -> Result<void> {
        text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        if (text.size() > limits::kProofBytesMax)
          return Error(Code::limit, "the answer is longer than it can be");
        return {};
      }));
  return text;
}

// Fetches a proof, checks it before it is handed on, and writes it.
int fetch_proof(Session& session, const std::string& path, const std::string& to) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  const auto text = text_of(**client, path);
  if (!text) return session.fail(text.error());
  const auto proof = journal::parse_proof(*text);
  if (!proof) return session.fail(proof.error());
  if (to.empty() && session.console().json()) {
    session.console().document(json::Object{{"index", proof->index}, {"proof", *text}});
    return kOk;
  }
  if (to.empty()) {
    std::cout << *text << std::flush;
    return std::cout ? kOk : kServer;
  }
  if (auto written = publish_file(real_disk(), to, as_bytes(*text)); !written) {
    const bool there = written.error().code() == Code::exists;
    session.console().failure(there ? Error(Code::exists, to + " is there already; name a new file")
                                    : std::move(written).error().during(to),
                              kUsage, {});
    return kUsage;
  }
  session.console().line(to + ": entry " + std::to_string(proof->index) +
                         "; whoever has the journal's key can check it: versement journal "
                         "check-proof " +
                         to + " --key FILE");
  return kOk;
}

int check_proof(Session& session, const std::string& path, const std::string& key_file) {
  Console& console = session.console();
  const auto failed = [&](const Error& error) {
    const int status = error.code() == Code::corrupt ? kDamage : kUnchecked;
    console.failure(error, status, {});
    return status;
  };
  const auto key = read_key(key_file);
  if (!key) return failed(key.error());
  const auto text = read_file(real_disk(), path, limits::kProofBytesMax);
  if (!text) return failed(text.error());
  const auto proof = journal::parse_proof(*text);
  if (!proof) return failed(Error(proof.error()).during(path));
  const auto checkpoint = journal::check_proof(*proof, *key);
  if (!checkpoint) return failed(Error(checkpoint.error()).during(path));
  if (console.json()) {
    json::Object out;
    out["verdict"] = "valid";
    out["origin"] = checkpoint->origin;
    out["index"] = proof->index;
    out["tree_size"] = checkpoint->size;
    if (auto event = json::parse_object(proof->entry)) out["event"] = *std::move(event);
    out["exit_code"] = kOk;
    console.document(out);
    return kOk;
  }
  console.line(path + ": valid; entry " + std::to_string(proof->index) + " of " +
               std::to_string(checkpoint->size) + " in the journal " + checkpoint->origin);
  console.line(printable(proof->entry));
  return kOk;
}

// ---------------------------------------------------------------------------- keys and witnesses

// The key in force, led up to from one that the caller trusts by statements which both keys signed.
Result<journal::VerifierKey> follow_key(Client& client, journal::VerifierKey trusted) {
  TRY_SET(const Reply reply, client.get("/v1/journal/keys"));
  TRY_SET(const journal::VerifierKey now,
          journal::VerifierKey::parse(json::text_at(reply.body, "key")));
  for (const json::Value& each : json::array_at(reply.body, "replacements")) {
    if (!each.is_object()) continue;
    TRY_SET(const journal::KeyChange change,
            journal::read_key_statement(json::text_at(each.get_object(), "statement")));
    if (change.before == trusted) trusted = change.after;
  }
  if (trusted == now) return now;
  return Error(Code::corrupt, "the server's journal has the key " + now.text() +
                                  ", and nothing that " + trusted.text() +
                                  " has signed hands over to it")
      .as("journal-key");
}

// A server that does not prove what it says is no server that failed: exit 1.
int fail_check(Session& session, const Error& error) {
  if (error.code() != Code::corrupt) return session.fail(error);
  session.console().failure(error, kDamage, {});
  return kDamage;
}

int show_key(Session& session, const std::string& old) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  if (old.empty()) {
    const auto text = text_of(**client, "/v1/journal/key");
    if (!text) return session.fail(text.error());
    session.console().line(std::string(trim(*text, "\r\n")));
    session.console().note(
        "Nothing vouches for it but this server; with a key that came another way: --old FILE");
    return kOk;
  }
  auto trusted = read_key(old);
  if (!trusted) return session.fail(trusted.error());
  const auto key = follow_key(**client, *std::move(trusted));
  if (!key) return fail_check(session, key.error());
  session.console().line(key->text());
  return kOk;
}

int new_witness(Session& session, const std::string& file, const std::string& name) {
  const auto signer = journal::Signer::create(real_disk(), file, name, journal::KeyKind::witness);
  if (!signer) return session.fail(signer.error());
  session.console().line(signer->key().text());
  session.console().note("The private key is in " + file +
                         " (only its owner can read it). The line above is the public one: it goes "
                         "into journal.witnesses of the daemon's settings");
  return kOk;
}

struct CosignFlags {
  std::string witness;  // file with the private key
  std::string key;      // file with the journal's public key
  std::string last;     // file with what was cosigned last
};

// The checkpoint must have what was cosigned before as its beginning: a witness never goes back.
Result<void> check_grown(Client& client, const std::string& last, const journal::Checkpoint& now) {
  auto note = read_file(real_disk(), last, limits::kCheckpointBytesMax);
  if (!note && note.error().code() == Code::not_found) return {};  // The first time.
  if (!note) return std::move(note).error();
  auto before = journal::parse_checkpoint(*note);
  if (!before) return std::move(before).error().during(last);
  const auto wrong = [&](const std::string& what) {
    return Error(Code::corrupt, "the journal is not the one that was cosigned last (" + last +
                                    "): " + what + ". Nothing was signed; keep both checkpoints")
        .as("journal-forked");
  };
  if (before->origin != now.origin) return wrong("that is of " + printable(before->origin));
  if (before->size > now.size) {
    return wrong("it has " + std::to_string(now.size) + " entries, and had " +
                 std::to_string(before->size));
  }
  if (before->size == 0) return {};
  TRY_SET(const Reply reply,
          client.get("/v1/journal/proofs/consistency?first=" + std::to_string(before->size) +
                     "&second=" + std::to_string(now.size)));
  std::vector<journal::Hash> path;
  for (const json::Value& each : json::array_at(reply.body, "path")) {
    const auto bytes = bytes_of_base64(each.is_string() ? std::string_view(each.get_string()) : "");
    if (!bytes || bytes->size() != sizeof(journal::Hash) || path.size() == 64)
      return wrong("its proof is malformed");
    journal::Hash hash;
    std::copy_n(as_bytes(*bytes).begin(), hash.size(), hash.begin());
    path.push_back(hash);
  }
  if (const auto grown = journal::check_consistency(*before, path, now); !grown)
    return wrong(grown.error().what());
  return {};
}

Result<std::string> cosigned(Client& client, const CosignFlags& flags) {
  TRY_SET(const journal::Signer witness, journal::Signer::open(real_disk(), flags.witness));
  if (witness.key().kind() != journal::KeyKind::witness)
    return Error(Code::invalid, flags.witness + " is not the key of a witness");
  TRY_SET(journal::VerifierKey trusted, read_key(flags.key));
  TRY_SET(const std::string note, text_of(client, "/v1/journal/checkpoint"));
  if (!trusted.verifies(note)) {
    TRY_SET(trusted, follow_key(client, trusted));
  }
  TRY_SET(const journal::Checkpoint now, journal::read_checkpoint(note, trusted));
  TRY(check_grown(client, flags.last, now));
  const auto seconds = static_cast<std::uint64_t>(real_clock().now().ms() / 1000);
  TRY_SET(std::string signed_note, witness.add_signature(note, seconds));
  // Kept before it is sent: what was signed must never be forgotten.
  TRY(replace_file(real_disk(), flags.last, as_bytes(signed_note)));
  return signed_note;
}

int cosign(Session& session, const CosignFlags& flags) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  const auto note = cosigned(**client, flags);
  if (!note) return fail_check(session, note.error());
  const auto reply = (*client)->post_text("/v1/journal/cosignatures", *note);
  const bool known = !reply && reply.error().reason() == "already-exists";
  if (!reply && !known) return session.fail(reply.error());
  const auto checkpoint = journal::parse_checkpoint(*note);
  session.console().line(flags.last + ": cosigned, " +
                         std::to_string(checkpoint ? checkpoint->size : 0) + " entries" +
                         (known ? "; the journal had that already" : ""));
  return kOk;
}

}  // namespace

void add_proof_command(Tree& tree,
                       CLI::App* group,
                       const std::string& what,
                       const std::string& help,
                       const std::function<std::string(const std::string&)>& path) {
  CLI::App* const command = tree.add(group, "proof", help);
  auto flags = std::make_shared<std::pair<std::string, std::string>>();
  CLI::Option* const named =
      command
          ->add_option(what, flags->first,
                       what == "INDEX" ? "Index of the event" : "Reference or id")
          ->required();
  if (what == "INDEX") named->check(CLI::NonNegativeNumber);
  command->add_option("--to", flags->second, "New file for the proof (standard output)");
  tree.action(command, [flags, path](Session& s) {
    return fetch_proof(s, path(segment(flags->first)), flags->second);
  });
}

void add_witness_commands(Tree& tree, CLI::App* journal) {
  {
    CLI::App* const command = tree.add(journal, "key", "Show the journal's public key");
    auto old = std::make_shared<std::string>();
    command->add_option("--old", *old,
                        "File with a key that it had before: follow its replacements from there");
    command->footer("Exit status: 0 shown, 1 nothing leads to it from the old key.");
    tree.action(command, [old](Session& s) { return show_key(s, *old); });
  }
  {
    CLI::App* const command =
        tree.add(journal, "new-witness", "Make the key of a witness, who cosigns checkpoints");
    auto flags = std::make_shared<std::pair<std::string, std::string>>();
    command->add_option("FILE", flags->first, "New file for the private key")->required();
    command
        ->add_option("--name", flags->second,
                     "The witness's name, such as archives.example/witness: visible ASCII")
        ->required();
    tree.action(command,
                [flags](Session& s) { return new_witness(s, flags->first, flags->second); });
  }
  {
    CLI::App* const command = tree.add(
        journal, "cosign", "Sign the newest checkpoint as a witness, once it is proven to go on");
    auto flags = std::make_shared<CosignFlags>();
    command->add_option("--witness", flags->witness, "File with the witness's private key")
        ->required();
    command->add_option("--key", flags->key, "File with the journal's public key (vkey) to trust")
        ->required();
    command
        ->add_option("--last", flags->last,
                     "File that keeps what was cosigned last; made the first time")
        ->required();
    command->footer(
        "Exit status: 0 cosigned, 1 the journal is not the one of last time: nothing was signed.");
    tree.action(command, [flags](Session& s) { return cosign(s, *flags); });
  }
}

void add_journal_commands(Tree& tree) {
  CLI::App* const journal = tree.add(&tree.root(), "journal", "The journal as a verifiable log");
  journal->require_subcommand(1);
  {
    CLI::App* const command =
        tree.add(journal, "verify", "Verify every entry, hash and signature of a journal");
    auto flags = std::make_shared<VerifyFlags>();
    command->add_option("DIR", flags->folder, "Journal folder, or data folder of versementd")
        ->required();
    command->add_option("--key", flags->key, "File with the public key (vkey) to trust");
    command->add_option("--checkpoint", flags->checkpoints,
                        "File with a checkpoint that was kept: the journal must have it as its "
                        "beginning; may be repeated");
    command->add_option("--witness", flags->witnesses,
                        "File with the public key of a witness to trust; may be repeated");
    command->add_option("--authorities", flags->authorities,
                        "File with the certificates of time authorities to trust, PEM");
    command->footer("Exit status: 0 valid, 1 altered, 2 unreadable, or no journal.");
    tree.action(command, [flags](Session& s) { return verify(s, *flags); });
  }
  add_proof_command(tree, journal, "INDEX", "Fetch the proof that an event is in the journal",
                    [](const std::string& index) { return "/v1/events/" + index + "/proof"; });
  {
    CLI::App* const command =
        tree.add(journal, "check-proof", "Check a proof, without a daemon and without a journal");
    auto flags = std::make_shared<std::pair<std::string, std::string>>();
    command->add_option("FILE", flags->first, "The proof (C2SP tlog-proof)")->required();
    command->add_option("--key", flags->second, "File with the journal's public key (vkey)")
        ->required();
    command->footer("Exit status: 0 valid, 1 it proves nothing, 2 unreadable, or no proof.");
    tree.action(command,
                [flags](Session& s) { return check_proof(s, flags->first, flags->second); });
  }
  add_witness_commands(tree, journal);
}

}  // namespace versement::cli
