// The journal: events for those who may read them, checkpoint and hash tiles for all who hold a
// token.
#include "service/api/context.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"
#include "store/journal/proof.hpp"
#include "store/journal/tile.hpp"
#include "store/query.hpp"

namespace versement::api {
namespace {

namespace keys = store::keys;
using store::Claim;

// A checkpoint with the signatures of log and witnesses.
constexpr std::size_t kCosignedBytesMax = 8 * 1024;

// Events behind a position, oldest first; "after" is the index of the last one seen.
Result<Response> list_events(const Context& context, const Call& call) {
  TRY_SET(const PageRequest page, page_request(call, ""));
  std::uint64_t first = 0;
  if (const std::string after = call.request.query_text("after"); !after.empty()) {
    const auto number = parse_decimal(after);
    if (!number) {
      return Error(Code::invalid, "after must be the index of an event").as("invalid-parameter");
    }
    first = *number + 1;
  }
  const std::string type = call.request.query_text("type");
  const std::uint64_t size = context.store.journal().size();
  json::Array items;
  std::uint64_t next = first;
  // Bounded: a filter that fits nothing must not read the whole journal in one request.
  const std::uint64_t end = std::min(size, first + 20 * page.limit);
  while (next < end && items.size() < page.limit) {
    TRY_SET(const std::string entry, context.store.journal().read(next));
    TRY_SET(json::Object event, json::parse_object(entry));
    if (type.empty() || json::text_at(event, "type") == type) {
      event.erase("v");
      event["index"] = next;
      items.emplace_back(std::move(event));
    }
    ++next;
  }
  json::Object object;
  object["items"] = std::move(items);
  object["tree_size"] = size;
  if (next > first) object["next_after"] = next - 1;
  object["more"] = next < size;
  return http::json_response(200, object);
}

// A file of the journal as it lies on disk. Its name is made of checked parts only.
Result<Response> journal_file(const Context& context,
                              const Call& call,
                              const std::string& name,
                              bool whole) {
  const Path path = context.store.layout().journal / name;
  auto info = context.store.disk().info(path);
  if (!info && info.error().code() == Code::not_found) {
    return Error(Code::not_found, "the journal has no such tile");
  }
  if (!info) return std::move(info).error();
  http::Representation representation;
  representation.source =
      std::make_shared<FileSource>(context.store.disk(), path, info->size_bytes);
  representation.etag = "\"" + std::to_string(info->inode) + "-" +
                        std::to_string(info->size_bytes) + "-" + std::to_string(info->modified_ms) +
                        "\"";
  representation.media_type = "application/octet-stream";
  representation.immutable = whole;
  return http::respond(call.request, std::move(representation));
}

// "x001/234" or "001.p/5": only what C2SP tlog-tiles can name.
Result<std::string> tile_name(const std::string& text) {
  const Error missing(Code::not_found, "the journal has no such tile");
  std::uint64_t index = 0;
  std::uint64_t width = journal::kTileWidth;
  std::string path = text;
  if (const std::size_t partial = path.find(".p/"); partial != std::string::npos) {
    const auto number = parse_decimal(path.substr(partial + 3));
    if (!number || *number == 0 || *number >= journal::kTileWidth) return missing;
    width = *number;
    path.resize(partial);
  }
  for (std::string_view part : split(path, '/')) {
    if (part.starts_with('x')) part.remove_prefix(1);
    const auto group = parse_decimal(part);
    if (part.size() != 3 || !group || index > (1ull << 50)) return missing;
    index = index * 1000 + *group;
  }
  // One name for one tile.
  if (journal::tile_index_text(index, width) != text) return missing;
  return text;
}

Result<Response> tile(const Context& context, const Call& call, const std::string& level) {
  TRY_SET(const std::string name, tile_name(call.parameter("tile_index")));
  return journal_file(context, call, "tile/" + level + "/" + name, true);
}

std::optional<std::uint64_t> number_parameter(const Call& call, std::string_view name) {
  return parse_decimal(call.request.query_text(name));
}

Error bad_parameter(std::string_view what) {
  return Error(Code::invalid, std::string(what)).as("invalid-parameter");
}

Result<Response> consistency_proof(const Context& context, const Call& call) {
  const std::uint64_t published = context.store.journal().published();
  const auto first = number_parameter(call, "first");
  const bool newest = call.request.query_text("second").empty();
  const auto second = newest ? std::optional(published) : number_parameter(call, "second");
  if (!first || !second || *first == 0 || *first > *second) {
    return bad_parameter("first must be the size of a tree, and second that of no smaller one");
  }
  if (*second > published) {
    return bad_parameter("the published checkpoint covers " + std::to_string(published) +
                         " entries only");
  }
  journal::TileTree tree(context.store.disk(), context.store.layout().journal, *second);
  TRY_SET(const auto proof, tree.consistency(*first));
  json::Array path;
  for (const journal::Hash& hash : proof)
    path.emplace_back(base64_of(hash));
  json::Object object;
  object["first"] = *first;
  object["second"] = *second;
  object["path"] = std::move(path);
  return http::json_response(200, object);
}

// ---------------------------------------------------------------------------- keys and witnesses

Result<Response> list_keys(const Context& context) {
  json::Array items;
  Result<void> failed;
  TRY(context.store.index().scan(keys::Key('K').get(), "",
                                 [&](std::string_view, std::string_view value) {
                                   auto record = json::parse_object(value);
                                   if (!record) {
                                     failed = std::move(record).error();
                                     return false;
                                   }
                                   items.emplace_back(std::move(*record));
                                   return true;
                                 }));
  TRY(std::move(failed));
  json::Object object;
  object["key"] = context.store.journal().key().text();
  object["replacements"] = std::move(items);
  return http::json_response(200, object);
}

Error mismatch(const std::string& what) {
  return Error(Code::conflict, what).as("checkpoint-mismatch");
}

// The checkpoint of a note that must be this journal's, and published.
Result<journal::Checkpoint> own_checkpoint(const Context& context, std::string_view note) {
  auto checkpoint = journal::parse_checkpoint(note);
  if (!checkpoint) return std::move(checkpoint).error().as("validation-failed");
  journal::Log& log = context.store.journal();
  if (checkpoint->origin != log.key().name())
    return mismatch("it is of " + printable(checkpoint->origin));
  if (!log.key().verifies(note)) return mismatch("the journal's key has not signed it");
  if (checkpoint->size == 0 || checkpoint->size > log.published())
    return mismatch("the journal has published " + std::to_string(log.published()) + " entries");
  journal::TileTree tree(context.store.disk(), context.store.layout().journal, checkpoint->size);
  TRY_SET(const journal::Hash root, tree.root());
  if (root != checkpoint->root) return mismatch("it is of another history");
  return checkpoint;
}

// Takes what a witness has signed into the journal: once for each size, and none of the past.
Result<Response> take_cosignature(const Context& context, const Call& call) {
  const std::string& note = call.request.body;
  TRY_SET(const journal::Checkpoint checkpoint, own_checkpoint(context, note));
  for (const journal::VerifierKey& witness : context.witnesses) {
    const auto seconds = witness.signed_at(note);
    if (!seconds) continue;
    TRY_SET(const Claim claim, context.store.claim("witness " + witness.name()));
    const auto last = context.store.index().record(keys::cosignature(witness.name()));
    if (!last && last.error().code() != Code::not_found) return last.error();
    if (last && json::number_at(*last, "size") >= checkpoint.size) {
      return Error(Code::exists, witness.name() + " has cosigned " +
                                     std::to_string(json::number_at(*last, "size")) +
                                     " entries already");
    }
    journal::Event event = context.store.event(journal::type::kCosigned, call.principal.name);
    event.detail["witness"] = witness.name();
    event.detail["checkpoint"] = note;
    event.detail["size"] = checkpoint.size;
    event.detail["time"] = Timestamp(static_cast<std::int64_t>(*seconds) * 1000).text();
    TRY_SET(const std::uint64_t index, context.store.append(std::move(event)));
    json::Object object;
    object["witness"] = witness.name();
    object["size"] = checkpoint.size;
    object["journal_index"] = index;
    return http::json_response(201, object);
  }
  return Error(Code::invalid, "journal.witnesses names the keys that count").as("witness-unknown");
}

}  // namespace

Result<Response> entry_proof(const Context& context, std::uint64_t index) {
  journal::Log& log = context.store.journal();
  if (index >= log.size()) return Error(Code::not_found, "the journal has no such entry");
  // Durable entries are covered by the tail's checkpoint first; the tiles follow within a second.
  if (index >= log.published()) TRY(log.publish());
  TRY_SET(std::string entry, log.read(index));
  TRY_SET(const journal::EntryProof proof,
          journal::prove_entry(context.store.disk(), context.store.layout().journal, log.key(),
                               index, std::move(entry)));
  return http::text_response(200, "text/plain; charset=utf-8", journal::proof_text(proof));
}

void add_journal(http::Router& router, Context& context) {
  router.add({"GET", "/v1/events", Scope::events_read, 0,
              [&context](const Call& call) { return list_events(context, call); }});
  router.add({"GET", "/v1/events/{event_index}/proof", Scope::events_read, 0,
              [&context](const Call& call) -> Result<Response> {
                const auto index = parse_decimal(call.parameter("event_index"));
                if (!index) return Error(Code::not_found, "the journal has no such entry");
                return entry_proof(context, *index);
              }});
  router.add({"GET", "/v1/journal/proofs/consistency", Scope::journal_read, 0,
              [&context](const Call& call) { return consistency_proof(context, call); }});
  router.add({"GET", "/v1/journal/checkpoint", Scope::journal_read, 0,
              [&context](const Call& /*call*/) -> Result<Response> {
                // Tiles for exactly this size are there: the published one, not the newest.
                TRY_SET(std::string note, read_file(context.store.disk(),
                                                    context.store.layout().journal / "checkpoint",
                                                    limits::kCheckpointBytesMax));
                return http::text_response(200, "text/plain; charset=utf-8", std::move(note));
              }});
  router.add({"GET", "/v1/journal/key", Scope::journal_read, 0,
              [&context](const Call& /*call*/) -> Result<Response> {
                return http::text_response(200, "text/plain; charset=utf-8",
                                           context.store.journal().key().text() + "\n");
              }});
  router.add({"GET", "/v1/journal/keys", Scope::journal_read, 0,
              [&context](const Call& /*call*/) { return list_keys(context); }});
  router.add({"POST", "/v1/journal/cosignatures", Scope::journal_cosign, kCosignedBytesMax,
              [&context](const Call& call) { return take_cosignature(context, call); }});
  // Entries first: "entries" is no level.
  router.add({"GET", "/v1/journal/tile/entries/{tile_index...}", Scope::events_read, 0,
              [&context](const Call& call) { return tile(context, call, "entries"); }});
  router.add({"GET", "/v1/journal/tile/{tile_level}/{tile_index...}", Scope::journal_read, 0,
              [&context](const Call& call) -> Result<Response> {
                const auto level = parse_decimal(call.parameter("tile_level"));
                if (!level || *level > 7 ||
                    std::to_string(*level) != call.parameter("tile_level")) {
                  return Error(Code::not_found, "the journal has no such tile");
                }
                return tile(context, call, std::to_string(*level));
              }});
}

}  // namespace versement::api
