#include "service/daemon.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <future>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "service/api/api.hpp"
#include "service/api/work_kinds.hpp"
#include "service/gate.hpp"
#include "service/ingest/run.hpp"
#include "service/jobs/incident.hpp"
#include "service/jobs/work.hpp"
#include "service/transfer/seal.hpp"
#include "store/audit/object.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"
#include "store/base/version.hpp"
#include "store/journal/verify.hpp"
#include "store/query.hpp"

namespace versement::service {
namespace {

// Tells systemd how it stands, where systemd asked (NOTIFY_SOCKET).
void notify_supervisor(std::string_view state) {
  const char* const name = ::getenv("NOTIFY_SOCKET");
  if (name == nullptr || std::strlen(name) >= sizeof(sockaddr_un::sun_path)) return;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name, std::strlen(name));
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(name));
  // Best effort: a supervisor that does not hear this will say so itself.
  (void)::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address), length);
}

mets::Organisation organisation_of(const json::Object& collection) {
  const json::Object& agency = json::object_at(collection, "originating_agency");
  return {.id = json::text_at(agency, "id"), .name = json::text_at(agency, "name")};
}

Result<jobs::Ending> ingest_job(store::Store& store, const jobs::Running& running) {
  ingest::IngestRequest request;
  request.job = running.job.id;
  request.agent = running.job.agent;
  request.folder = json::text_at(running.job.request, "folder");
  request.dry_run = json::flag_at(running.job.request, "dry_run");
  request.new_versions = json::flag_at(running.job.request, "new_versions");
  const std::string collection_id = json::text_at(running.job.request, "collection");
  TRY_SET(request.collection, Slug::parse(collection_id));
  TRY_SET(const json::Object collection, store::collection_record(store, collection_id));
  request.naan = json::text_at(collection, "naan");
  request.defaults.rights = mets::rights_of(json::object_at(collection, "rights"));
  request.archivist = organisation_of(collection);

  auto progress = std::make_shared<ingest::IngestProgress>();
  running.show_progress([progress] {
    json::Object object;
    object["phase"] = progress->total_items == 0 ? "looking" : "storing";
    object["done_items"] = progress->done_items.load();
    object["total_items"] = progress->total_items.load();
    object["done_bytes"] = progress->done_bytes.load();
    object["total_bytes"] = progress->total_bytes.load();
    return object;
  });
  TRY_SET(const ingest::IngestResult result,
          ingest::run_ingest(store, request, *progress, running.stop));
  jobs::Ending ending;
  ending.event_type = journal::type::kIngestFinished;
  ending.outcome = result.items_rejected == 0 && result.errors == 0 ? "success" : "warning";
  ending.objects["collection"] = collection_id;
  ending.result = result.to_json();
  return ending;
}

// Reads all of an item's object again. Errors: corrupt with what was found.
Result<void> verify_item(store::Store& store,
                         const std::string& slug,
                         const std::stop_token& stop) {
  TRY_SET(const json::Object item, store::item_record(store, slug));
  TRY_SET(const ObjectId object, ObjectId::parse(json::text_at(item, "object")));
  audit::ObjectToCheck to_check;
  to_check.folder = store.object_folder(object);
  TRY_SET(to_check.inventories, store::inventories_of_item(store, slug));
  std::atomic<std::uint64_t> bytes{0};
  std::string wrong;
  TRY(audit::check_object(store.disk(), to_check, stop, bytes, [&](audit::FileOutcome&& outcome) {
    if (outcome.outcome == audit::Outcome::verified || !wrong.empty()) return;
    wrong = std::string(audit::outcome_name(outcome.outcome)) + ": " + outcome.path;
  }));
  if (wrong.empty()) return {};
  return Error(Code::corrupt, wrong + "; run an audit, and repair the item first");
}

Result<jobs::Ending> seal_job(store::Store& store, const jobs::Running& running) {
  auto progress = std::make_shared<transfer::SealProgress>();
  running.show_progress([progress] {
    json::Object object;
    object["phase"] = "verifying";
    object["done_items"] = progress->done_items.load();
    object["total_items"] = progress->total_items.load();
    return object;
  });
  transfer::SealOptions options;
  options.agent = running.job.agent;
  options.job = running.job.id.text();
  options.verify = [&](const std::string& slug) { return verify_item(store, slug, running.stop); };
  jobs::Ending ending;
  ending.objects["transfer"] = running.job.transfer;
  TRY_SET(ending.result,
          transfer::seal(store, running.job.transfer, options, *progress, running.stop));
  return ending;
}

// The inboxes without links, so that a deposit's path can be compared.
Result<std::vector<Path>> real_inboxes(const Settings& settings) {
  std::vector<Path> real;
  for (const std::string& inbox : settings.inboxes) {
    const std::unique_ptr<char, void (*)(void*)> path(::realpath(inbox.c_str(), nullptr), ::free);
    if (!path) return Error::from_errno(errno, "the inbox " + inbox);
    real.emplace_back(path.get());
  }
  return real;
}

Result<std::vector<journal::VerifierKey>> witnesses_of(const Settings& settings) {
  std::vector<journal::VerifierKey> witnesses;
  for (const std::string& text : settings.witnesses) {
    auto key = journal::VerifierKey::parse(text);
    if (key && key->kind() != journal::KeyKind::witness)
      key = Error(Code::invalid, "'" + printable(text) + "' is not the public key of a witness");
    if (!key) return std::move(key).error().during("journal.witnesses");
    witnesses.push_back(*std::move(key));
  }
  return witnesses;
}

// Waits for a signal on a thread of its own; the second one ends the process at once.
class SignalWaiter {
 public:
  explicit SignalWaiter(std::stop_source& stop)
      : thread_([&stop, ended = &ended_] {
          sigset_t set = {};
          sigemptyset(&set);
          for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR2})
            sigaddset(&set, number);
          bool stopping = false;
          while (true) {
            int number = 0;
            if (::sigwait(&set, &number) != 0) continue;
            if (number == SIGUSR2 && ended->load()) return;  // Our own.
            if (number == SIGUSR2) continue;
            if (number == SIGHUP) {
              log::warning("SIGHUP: this version takes up no changed settings; restart it");
              continue;
            }
            if (std::exchange(stopping, true)) ::_exit(130);
            log::info("stopping; a second signal stops at once");
            notify_supervisor("STOPPING=1");
            stop.request_stop();
          }
        }) {}
  ~SignalWaiter() {
    ended_ = true;
    (void)::pthread_kill(thread_.native_handle(), SIGUSR2);
    thread_.join();
  }
  SignalWaiter(const SignalWaiter&) = delete;
  SignalWaiter& operator=(const SignalWaiter&) = delete;

 private:
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

// A start that takes no longer than this has no request answered before it is done.
constexpr std::chrono::milliseconds kShortStart{500};

void tell_recovered(const store::Recovered& recovered) {
  if (recovered.completed + recovered.dropped + recovered.quarantined == 0) return;
  log::warning("the service had ended in the middle of deposits",
               {{"completed", std::to_string(recovered.completed)},
                {"dropped", std::to_string(recovered.dropped)},
                {"quarantined", std::to_string(recovered.quarantined)}});
}

void tell_addresses(std::string_view what, const net::Server& server, const Settings& settings) {
  for (const std::string& address : server.addresses()) {
    log::info(what, {{"address", address},
                     {"tls", settings.server.tls_certificate.empty() ? "no" : "yes"},
                     {"data", settings.data.native()}});
  }
}

// The top of a thread: what is thrown there ends the service, not the process.
Result<void> guarded(const std::function<Result<void>()>& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    return Error(Code::internal, error.what());
  }
}

// Whoever leaves does not wait for the start to be done.
class StopAtEnd {
 public:
  explicit StopAtEnd(std::stop_source& stop) : stop_(stop) {}
  ~StopAtEnd() { stop_.request_stop(); }
  StopAtEnd(const StopAtEnd&) = delete;
  StopAtEnd& operator=(const StopAtEnd&) = delete;

 private:
  std::stop_source& stop_;
};

}  // namespace

Result<bool> lacks_first_token(Disk& disk, const Settings& settings) {
  const store::Layout layout(settings.data);
  TRY_SET(const bool marked, path_exists(disk, layout.marker));
  if (!marked) return false;
  TRY_SET(const bool tokens, path_exists(disk, layout.secrets / "tokens.json"));
  TRY_SET(const bool written, path_exists(disk, layout.secrets / "admin-token"));
  return !tokens && !written;
}

Result<Path> init(Disk& disk, Clock& clock, const Settings& settings) {
  // An earlier attempt may have ended before the token was made.
  TRY_SET(const bool half, lacks_first_token(disk, settings));
  if (!half) TRY(store::Store::create(disk, clock, settings.data, settings.origin));
  store::StoreOptions options = settings.store;
  options.data = settings.data;
  TRY_SET(const auto store, store::Store::open(disk, clock, options));
  TRY_SET(const auto tokens, api::Tokens::load(*store));
  api::TokenRequest request;
  request.name = "admin";
  request.role = http::Role::admin;
  TRY_SET(const api::TokenCreated created, tokens->create(request, kProgramName));
  const Path file = store->layout().secrets / "admin-token";
  TRY(publish_file(disk, file, as_bytes(created.secret + "\n"), 0600));
  return file;
}

Result<KeysReplaced> replace_journal_key(Disk& disk, Clock& clock, const Settings& settings) {
  store::StoreOptions options = settings.store;
  options.data = settings.data;
  KeysReplaced keys;
  TRY_SET(const journal::VerifierKey before,
          journal::key_beside(disk, store::Layout(settings.data).journal));
  keys.before = before.text();
  TRY_SET(const auto store, store::Store::open(disk, clock, options));
  if (const auto why = store->read_only_reason())
    return Error(Code::unavailable, "the key was not replaced: " + *why);
  keys.after = store->journal().key().text();
  return keys;
}

Result<void> serve(Disk& disk, Clock& clock, const Settings& settings) {
  store::StoreOptions options = settings.store;
  options.data = settings.data;
  TRY_SET(const std::vector<Path> inboxes, real_inboxes(settings));
  TRY_SET(const auto witnesses, witnesses_of(settings));
  std::stop_source stop;
  const SignalWaiter signals(stop);
  TRY_SET(const auto store, store::Store::prepare(disk, clock, options));
  api::Tokens tokens(*store);
  jobs::Queue queue(*store);
  jobs::register_audits(queue, *store, settings.audit_threads);
  queue.handle(std::string(api::kIngestKind), "ingest",
               [&store](const jobs::Running& running) { return ingest_job(*store, running); });
  queue.handle(std::string(api::kSealKind), "seal",
               [&store](const jobs::Running& running) { return seal_job(*store, running); });
  store->set_on_damage(
      [&damaged = *store](const std::string& owner, const std::string& path, const Error& what) {
        jobs::report_damage(damaged, owner, path, what);
      });
  transfer::Bags bags(*store);
  transfer::SedaArchives seda(*store);
  transfer::Sips sips(*store);
  TRY_SET(const auto stamper, stamps::Stamper::make(*store, settings.stamps));
  Metrics metrics;
  api::Context context{.store = *store,
                       .queue = queue,
                       .tokens = tokens,
                       .bags = bags,
                       .seda = seda,
                       .sips = sips,
                       .stamper = *stamper,
                       .metrics = metrics,
                       .witnesses = witnesses,
                       .inboxes = inboxes,
                       .public_url = settings.public_url,
                       .encrypted = !settings.server.tls_certificate.empty(),
                       .started_at = clock.now(),
                       .transfer_mutex = {}};
  api::Api api(context, settings.access_log);
  Gate gate(api, *store);
  TRY_SET(const auto server, net::Server::listen(settings.server, gate));
  const std::stop_callback on_stop(stop.get_token(), [&server, &seda] {
    seda.stop();
    server->stop();
  });
  if (store->answers_reads()) {
    TRY(tokens.reload());
    gate.let_read();
  }
  std::optional<jobs::Scheduler> scheduler;
  bool read_only = false;
  const auto start = [&]() -> Result<void> {
    TRY(store->bring_up(stop.get_token()));
    tell_recovered(store->recovered());
    TRY(tokens.reload());  // The index may be another now.
    // A journal in doubt: what is there is served, and nothing is begun.
    read_only = store->read_only_reason().has_value();
    if (!read_only) {
      journal::Event started = store->event(journal::type::kServiceStarted, kProgramName);
      started.detail["version"] = kVersion;
      TRY(store->append(std::move(started)));
      TRY(queue.start());
      scheduler.emplace(queue, *store, settings.policy_every);
      stamper->start();
    }
    gate.open();
    tell_addresses("serving", *server, settings);
    notify_supervisor("READY=1");
    return {};
  };
  // It may take minutes, when the index is made: the requests that come meanwhile are answered.
  auto starting = std::async(std::launch::async, [&]() -> Result<void> {
    auto done = guarded(start);
    if (!done) stop.request_stop();
    return done;
  });
  const StopAtEnd stop_at_end(stop);
  if (starting.wait_for(kShortStart) != std::future_status::ready) {
    tell_addresses(store->answers_reads() ? "serving what only reads, until the start is done"
                                          : "answering 503 until the start is done",
                   *server, settings);
    if (store->answers_reads()) notify_supervisor("READY=1");
  }
  server->run();
  stop.request_stop();
  auto started = starting.get();
  scheduler.reset();
  stamper->stop();
  queue.stop();
  if (!started && started.error().code() != Code::cancelled) return started;
  if (started && !read_only) {
    auto stopped = store->append(store->event(journal::type::kServiceStopped, kProgramName));
    if (!stopped) {
      log::warning("the end of the service could not be journaled",
                   {{"why", stopped.error().what()}});
    }
  }
  log::info("stopped");
  return {};
}

}  // namespace versement::service
