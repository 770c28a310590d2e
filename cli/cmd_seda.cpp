// versement seda show: what a receiver's SEDA message says, read from a file, without a daemon.
#include <memory>
#include <string>

#include "cli/command.hpp"
#include "mets/seda_reply.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::cli {
namespace {

// More would push what matters off the screen; --json has all.
constexpr std::size_t kUnitsTold = 50;

struct ShowFlags {
  std::string file, transfer;
};

int status_of(mets::SedaOutcome outcome) {
  switch (outcome) {
    case mets::SedaOutcome::received:
    case mets::SedaOutcome::accepted:
      return kOk;
    case mets::SedaOutcome::refused:
      return kDamage;
    case mets::SedaOutcome::accepted_in_part:
    case mets::SedaOutcome::unknown:
      return kUnchecked;
  }
  return kUnchecked;
}

Result<mets::SedaReply> read(const std::string& file) {
  TRY_SET(const FileInfo info, real_disk().info(file));
  if (info.kind != FileKind::regular) {
    return Error(Code::invalid, printable(file) + " is no file");
  }
  FileSource source(real_disk(), file, info.size_bytes);
  auto reply = mets::read_seda_reply(source);
  if (!reply) return std::move(reply).error().during(printable(file));
  return reply;
}

std::string joined(const std::vector<std::string>& texts) {
  return printable(join(texts, "; "));
}

void tell_units(Console& console, const mets::SedaReply& reply) {
  std::vector<std::vector<std::string>> rows;
  for (const mets::SedaReplyUnit& unit : reply.units) {
    if (rows.size() == kUnitsTold) break;
    rows.push_back({printable(unit.id), unit.item,
                    unit.outcome ? std::string(mets::seda_outcome_name(*unit.outcome)) : "",
                    joined(unit.system_ids), joined(unit.archival_agency_ids)});
  }
  if (!rows.empty()) {
    console.table({"UNIT", "ITEM", "OUTCOME", "SYSTEM ID", "ARCHIVE'S IDENTIFIER"}, rows);
  }
  if (rows.size() < reply.units.size()) {
    console.note("and " + std::to_string(reply.units.size() - rows.size()) +
                 " further units; --json lists all");
  }
}

void tell_events(Console& console, const mets::SedaReply& reply) {
  std::size_t told = 0;
  for (const mets::SedaReplyEvent& event : reply.events) {
    // What went well is only counted.
    if (mets::seda_code(event.outcome).outcome == mets::SedaOutcome::accepted) continue;
    if (++told > kUnitsTold) break;
    std::string line = event.outcome.empty() ? "-" : event.outcome;
    for (const std::string* const part :
         {&event.about, &event.type, &event.type_code, &event.outcome_detail, &event.message}) {
      if (!part->empty()) line += "  " + *part;
    }
    console.line(printable(line));
  }
}

int show(Session& session, const ShowFlags& flags) {
  Console& console = session.console();
  const auto reply = read(flags.file);
  if (!reply) {
    const Code code = reply.error().code();
    const int status = code == Code::io ? kUnchecked : kUsage;
    console.failure(reply.error(), status, {});
    return status;
  }
  const bool other = !flags.transfer.empty() && reply->request_identifier != flags.transfer;
  // A reply to another message says nothing of this transfer.
  const int status = other ? kUnchecked : status_of(reply->outcome);
  if (console.json()) {
    json::Object document = mets::to_json(*reply);
    if (!flags.transfer.empty()) document["answers_transfer"] = !other;
    document["exit_code"] = status;
    console.document(document);
    return status;
  }
  const mets::SedaCode code = mets::seda_code(reply->reply_code);
  std::string answer = printable(reply->reply_code);
  if (!code.meaning.empty()) answer += " (" + std::string(code.meaning) + ")";
  console.facts({{"message", std::string(mets::seda_message_name(reply->message)) + ", SEDA " +
                                 std::string(mets::seda_version_text(reply->version))},
                 {"outcome", std::string(mets::seda_outcome_name(reply->outcome))},
                 {"reply code", answer},
                 {"answers", printable(reply->request_identifier)},
                 {"identifier", printable(reply->identifier)},
                 {"date", printable(reply->date)},
                 {"custody granted", printable(reply->grant_date)},
                 {"transfer date", printable(reply->transfer_date)},
                 {"agreement", printable(reply->agreement)},
                 {"from", printable(reply->archival_agency + reply->sender)},
                 {"to", printable(reply->transferring_agency + reply->receiver)},
                 {"comments", joined(reply->comments)},
                 {"units", std::to_string(reply->units.size())},
                 {"objects", std::to_string(reply->objects.size())},
                 {"events", std::to_string(reply->events.size())}});
  tell_units(console, *reply);
  tell_events(console, *reply);
  if (other) {
    console.note("the message answers '" + printable(reply->request_identifier) + "', not '" +
                 printable(flags.transfer) + "'");
  }
  return status;
}

}  // namespace

void add_seda_commands(Tree& tree) {
  CLI::App* const seda = tree.add(&tree.root(), "seda", "Messages of SEDA systems in local files");
  seda->require_subcommand(1);
  CLI::App* const command =
      tree.add(seda, "show",
               "Show what a reply says: Acknowledgement, ArchiveTransferReply, "
               "ArchiveTransferRequestReply");
  auto flags = std::make_shared<ShowFlags>();
  command->add_option("FILE", flags->file, "The message, XML of SEDA 2.1, 2.2 or 2.3")->required();
  command->add_option("--transfer", flags->transfer,
                      "Reference of the transfer that it should answer");
  command->footer(
      "Exit status: 0 received or accepted, 1 refused, 2 accepted in part, not known or not final, "
      "or an answer to another transfer; 3 no such message.");
  tree.action(command, [flags](Session& s) { return show(s, *flags); });
}

}  // namespace versement::cli
