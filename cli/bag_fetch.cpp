#include "cli/bag_fetch.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include <fcntl.h>

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "client/connection.hpp"
#include "store/base/limits.hpp"
#include "store/base/pool.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"
#include "store/base/version.hpp"

namespace versement::cli {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;

constexpr std::string_view kFolder = ".versement-fetch";
constexpr int kRedirectsMax = 5;
constexpr int kAttempts = 3;
constexpr std::chrono::milliseconds kPause{1000};
// Kept for If-Range; a longer one is not worth keeping.
constexpr std::size_t kEtagBytesMax = 200;
constexpr std::size_t kMarkBytesMax = 512;
// What an earlier run of ours has made, and no program that unpacks bags makes by default.
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kMarkMode = 0600;
constexpr std::uint64_t kSlowBytesPerSecond = 1024;
constexpr std::uint64_t kPortMax = 65535;
// Equal failures after which a server is asked no more. More than files that are fetched at once by
// default, each of which has tried three times.
constexpr std::size_t kFailuresOfServer = 5;

struct Address {
  client::Url url;
  std::string target;  // what is asked for: path and query
};

// "https://HOST[:PORT]/…", and nothing clever: what one program takes for the host another may
// take for a password.
Result<Address> parse_url(const std::string& text) {
  const Error wrong(Code::invalid, "'" + printable(text) + "' is no plain http or https address");
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7F && c != '\\' && c != '"' && c != '<' && c != '>';
  });
  if (!plain) return wrong;
  std::string lower = lower_ascii(text.substr(0, text.find(':') + 1));
  if (lower != "https:" && lower != "http:") return wrong;
  const std::string rest = text.substr(lower.size());
  if (!rest.starts_with("//")) return wrong;
  const std::size_t end = std::min(rest.find_first_of("/?#", 2), rest.size());
  const std::string authority = rest.substr(2, end - 2);
  if (authority.find('@') != std::string::npos) return wrong;
  TRY_SET(client::Url url, client::Url::parse(lower + "//" + authority));
  url.host = lower_ascii(url.host);
  const auto port = parse_decimal(url.port);
  if (!port || *port == 0 || *port > kPortMax) return wrong;
  Address address{std::move(url), rest.substr(end)};
  address.target = address.target.substr(0, address.target.find('#'));
  if (!address.target.starts_with('/')) address.target.insert(0, 1, '/');
  return address;
}

bool is_usual_port(const client::Url& url) {
  return url.port == (url.tls ? "443" : "80");
}

// The origin, for the Host field.
std::string host_field(const client::Url& url) {
  const bool ipv6 = url.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + url.host + "]" : url.host) + (is_usual_port(url) ? "" : ":" + url.port);
}

// As --host takes it.
std::string host_of(const client::Url& url) {
  return is_usual_port(url) ? url.host : host_field(url);
}

std::string refusal_of(const Address& address, const FetchOptions& options) {
  if (!address.url.tls && !options.allow_http) {
    return "is not https; --allow-http would permit it";
  }
  const client::Url& url = address.url;
  const bool ipv6 = url.host.find(':') != std::string::npos;
  const std::string with_port = (ipv6 ? "[" + url.host + "]" : url.host) + ":" + url.port;
  // A host's other ports are other services, of other people perhaps.
  if (options.any_host || options.hosts.contains(with_port) ||
      (is_usual_port(url) && options.hosts.contains(url.host))) {
    return {};
  }
  return "is on a host that was not allowed; --host " + host_of(address.url) + " would permit it";
}

// "bytes F-L/T".
std::optional<std::uint64_t> first_of_range(std::string_view range) {
  const std::size_t dash = range.find('-');
  if (!range.starts_with("bytes ") || dash == std::string_view::npos) return std::nullopt;
  return parse_decimal(trim(range.substr(6, dash - 6)));
}

// Ends a connection, from a thread of its own, that brings next to nothing: a server that sends a
// byte now and then never runs into the time limit of one read.
class Watchdog {
 public:
  Watchdog(client::Connection& connection,
           const FetchOptions& options,
           const std::atomic<std::uint64_t>& received)
      : thread_([this, &connection, &options, &received](const std::stop_token& over) {
          const auto window = std::max(options.slow_after, options.wait);
          const auto wanted =
              kSlowBytesPerSecond * static_cast<std::uint64_t>(window.count()) / 1000;
          std::mutex mutex;
          std::condition_variable_any alarm;
          std::unique_lock lock(mutex);
          for (std::uint64_t before = received;; before = received) {
            (void)alarm.wait_for(lock, over, window, [] { return false; });  // Ends with `over`.
            if (over.stop_requested()) return;
            if (received - before >= wanted) continue;
            bit_ = true;
            connection.abort();
            return;
          }
        }) {}

  bool bit() const { return bit_; }

 private:
  std::atomic<bool> bit_{false};
  std::jthread thread_;
};

// One file.
class FileFetch {
 public:
  FileFetch(Disk& disk,
            const Path& bag,
            const bagit::FetchItem& item,
            const FetchOptions& options,
            const client::TlsContext& tls,
            FetchProgress& progress)
      : disk_(disk),
        item_(item),
        options_(options),
        tls_(tls),
        progress_(progress),
        bag_(bag),
        part_(bag / kFolder / digest_of(Algorithm::sha256, item.path).hex()),
        mark_(part_.native() + ".mark") {}

  Result<void> run() {
    Result<void> done;
    for (const std::string& url : item_.urls) {
      for (int attempt = 0; attempt < kAttempts; ++attempt) {
        if (attempt > 0) std::this_thread::sleep_for(kPause * attempt);
        TRY(stopped());
        done = try_url(url);
        if (done) return publish();
        const Code code = done.error().code();
        if (code == Code::cancelled || code == Code::io || code == Code::no_space) return done;
        // Only what time may mend is tried again.
        if (code != Code::network && code != Code::timeout && code != Code::unavailable) break;
      }
    }
    return done;
  }

  // Of the bytes that the part has now: those of this run, and those before.
  std::uint64_t received() const { return received_; }
  std::uint64_t resumed() const { return offset_ - received_; }
  // What the next run can go on from: all of them, if the server can be asked for the rest.
  std::uint64_t kept() const { return is_strong() ? offset_ : 0; }

 private:
  using Parser = beast_http::response_parser<beast_http::buffer_body>;

  Result<void> stopped() const {
    if (options_.stop.stop_requested()) return Error(Code::cancelled, "stopped");
    return {};
  }

  std::uint64_t bytes_max() const { return item_.length.value_or(options_.bytes_max); }

  Error too_long() const {
    const std::string said = item_.length
                                 ? "the " + std::to_string(*item_.length) + " that fetch.txt says"
                                 : human_bytes(options_.bytes_max) + " (--max-bytes)";
    return Error(Code::limit, "has more bytes than " + said).as("fetch-too-long");
  }

  static bool is_alone(const Result<FileInfo>& info) {
    return info && info->kind == FileKind::regular && info->links == 1;
  }

  // What an earlier attempt has left, if the server can be asked for the rest of just that.
  Result<void> take_up(const std::string& url) {
    offset_ = 0;
    etag_.clear();
    url_ = url;
    hasher_.emplace(algorithms());
    const auto made = disk_.info(mark_);
    const bool ours = is_alone(made) && made->mode == kMarkMode;
    const auto mark = read_file(disk_, mark_, kMarkBytesMax);
    const std::string tag = ours && mark ? tag_of_mark(*mark, url) : "";
    const auto info = disk_.info(part_);
    if (tag.empty() || !is_alone(info) || info->size_bytes == 0 || info->size_bytes > bytes_max()) {
      return forget();
    }
    TRY_SET(const Fd fd, disk_.open(part_, O_RDONLY));
    std::vector<std::byte> chunk(limits::kChunkBytes);
    while (offset_ < info->size_bytes) {
      TRY(stopped());
      TRY_SET(const std::size_t count, disk_.read_at(fd, chunk, offset_, part_));
      if (count == 0) break;
      hasher_->update(std::span<const std::byte>(chunk).first(count));
      offset_ += count;
    }
    etag_ = tag;
    return {};
  }

  std::vector<Algorithm> algorithms() const {
    std::vector<Algorithm> out;
    for (const Digest& digest : item_.digests)
      out.push_back(digest.algorithm());
    return out;
  }

  Result<void> forget() {
    for (const Path& path : {part_, mark_}) {
      auto removed = disk_.remove_file(path);
      if (!removed && removed.error().code() != Code::not_found) return removed;
    }
    offset_ = 0;
    progress_.bytes -= received_;
    received_ = 0;
    etag_.clear();
    hasher_.emplace(algorithms());
    return {};
  }

  Result<void> try_url(std::string url) {
    TRY(take_up(url));
    bool was_tls = false;
    for (int redirects = 0; redirects <= kRedirectsMax; ++redirects) {
      TRY_SET(const Address address, parse_url(url));
      if (const std::string refused = refusal_of(address, options_); !refused.empty()) {
        return Error(Code::denied, "'" + printable(url) + "' " + refused).as("fetch-refused");
      }
      if (was_tls && !address.url.tls) {
        return Error(Code::denied, "was redirected from https to http: '" + printable(url) + "'")
            .as("fetch-refused");
      }
      was_tls = address.url.tls;
      std::string next;
      TRY(ask(address, &next));
      if (next.empty()) return {};
      if (next.starts_with("//")) {
        next.insert(0, was_tls ? "https:" : "http:");
      } else if (next.starts_with('/')) {
        next.insert(0, (was_tls ? "https://" : "http://") + host_field(address.url));
      }
      url = std::move(next);
    }
    return Error(Code::denied,
                 "was redirected more than " + std::to_string(kRedirectsMax) + " times")
        .as("fetch-refused");
  }

  Result<void> permit(const client::PeerAddress& peer) const {
    if (options_.allow_private || peer.is_public) return {};
    return Error(Code::denied, "leads to " + peer.text +
                                   ", which is no public address; --allow-private would permit it")
        .as("forbidden-address");
  }

  // Asks once. Sets `next` for a redirection; else the part is whole and its digests are right.
  Result<void> ask(const Address& address, std::string* next) {
    TRY_SET(const auto connection,
            client::Connection::open(address.url, {.each = options_.wait}, tls_,
                                     [this](const auto& peer) { return permit(peer); }));
    std::string request = "GET " + address.target +
                          " HTTP/1.1\r\nHost: " + host_field(address.url) +
                          "\r\nUser-Agent: versement/" + kVersion +
                          "\r\nAccept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n";
    // Whoever is asked is the one host that the token is for, a redirection included.
    if (!options_.token.empty()) request += "Authorization: Bearer " + options_.token + "\r\n";
    if (offset_ > 0) {
      request += "Range: bytes=" + std::to_string(offset_) + "-\r\nIf-Range: " + etag_ + "\r\n";
    }
    const Watchdog watchdog(*connection, options_, received_);
    auto done = exchange(*connection, request + "\r\n", address, next);
    if (done || !watchdog.bit()) return done;
    return Error(Code::timeout, host_of(address.url) + " sent less than " +
                                    human_bytes(kSlowBytesPerSecond) + " a second")
        .as("fetch-slow");
  }

  Result<void> exchange(client::Connection& connection,
                        const std::string& request,
                        const Address& address,
                        std::string* next) {
    TRY(connection.send(request));
    Parser parser;
    parser.body_limit(boost::none);
    parser.header_limit(limits::kHttpBufferBytes);
    error_code code;
    beast_http::read_header(connection, connection.buffer, parser, code);
    if (code) return network("no answer from " + host_of(address.url), code);
    const unsigned status = parser.get().result_int();
    if (status >= 301 && status <= 308 && status != 304) {
      *next = field(parser, beast_http::field::location);
      if (!next->empty()) return {};
    }
    if (status != 200 && status != 206) return refused(status);
    TRY(begin(parser, status));
    return receive(connection, parser);
  }

  static Error network(const std::string& what, const error_code& code) {
    const bool late = code == boost::asio::error::timed_out;
    return Error(late ? Code::timeout : Code::network, what + ": " + code.message());
  }

  static std::string field(Parser& parser, beast_http::field name) {
    const auto value = parser.get()[name];
    return {value.data(), value.size()};
  }

  Result<void> refused(unsigned status) {
    if (status == 416) {
      // The part is longer than the file: it is of another one.
      TRY(forget());
      return Error(Code::unavailable, "the server has less than was received before");
    }
    const bool later = status == 408 || status == 429 || status >= 500;
    return Error(later                            ? Code::unavailable
                 : status == 404 || status == 410 ? Code::not_found
                                                  : Code::invalid,
                 "the server answered " + std::to_string(status))
        .as(status == 401 || status == 403 ? "fetch-unauthorized" : "fetch-status");
  }

  // Looks at the head of an answer before any of the body is taken.
  Result<void> begin(Parser& parser, unsigned status) {
    const std::string coding = field(parser, beast_http::field::content_encoding);
    if (!coding.empty() && !equal_ignoring_ascii_case(coding, "identity")) {
      return Error(Code::invalid, "the server sent it coded as '" + printable(coding) + "'");
    }
    if (status == 206) {
      const auto first = first_of_range(field(parser, beast_http::field::content_range));
      if (offset_ == 0 || first != offset_) {
        TRY(forget());
        return Error(Code::unavailable, "the server sent another part than was asked for");
      }
    } else {
      TRY(forget());
      etag_ = field(parser, beast_http::field::etag);
    }
    if (const auto length = parser.content_length()) {
      const std::uint64_t left = bytes_max() - offset_;
      if (*length > left) return too_long();
      if (item_.length && *length < left) {
        return Error(Code::corrupt, "has " + std::to_string(offset_ + *length) +
                                        " bytes; fetch.txt says " + std::to_string(*item_.length))
            .as("fetch-length");
      }
    }
    return {};
  }

  // A weak tag does not promise the same bytes (RFC 9110 section 13.1.5).
  bool is_strong() const { return etag_.starts_with('"') && etag_.size() <= kEtagBytesMax; }

  Result<void> receive(client::Connection& connection, Parser& parser) {
    TRY_SET(Fd fd,
            disk_.open(part_, O_WRONLY | O_CREAT | (offset_ == 0 ? O_EXCL : O_APPEND), 0644));
    if (offset_ == 0 && is_strong_tag(etag_)) {
      TRY(replace_file(disk_, mark_, as_bytes(mark_of(url_, etag_)), kMarkMode));
    }
    std::vector<std::byte> chunk(limits::kChunkBytes);
    connection.buffer.reserve(limits::kChunkBytes);  // Beast reads 512 bytes at a time else
    while (!parser.is_done()) {
      TRY(stopped());
      parser.get().body().data = chunk.data();
      parser.get().body().size = chunk.size();
      error_code code;
      beast_http::read_some(connection, connection.buffer, parser, code);
      if (code == beast_http::error::need_buffer) code = {};
      const auto bytes =
          std::span<const std::byte>(chunk).first(chunk.size() - parser.get().body().size);
      if (bytes.size() > bytes_max() - offset_) {
        TRY(forget());
        return too_long();
      }
      hasher_->update(bytes);
      TRY(write_all(disk_, fd, bytes, part_));
      offset_ += bytes.size();
      received_ += bytes.size();
      progress_.bytes += bytes.size();
      if (code) return network("the connection was cut", code);
    }
    if (item_.length && offset_ < *item_.length) {
      return Error(Code::network, "ended after " + std::to_string(offset_) + " of " +
                                      std::to_string(*item_.length) + " bytes");
    }
    TRY(compare());
    TRY(disk_.sync(fd, part_));
    return disk_.close(std::move(fd), part_);
  }

  Result<void> compare() {
    const std::vector<Digest> found = hasher_->finish();
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i] == item_.digests[i]) continue;
      const Digest expected = item_.digests[i];
      TRY(forget());  // Nothing of it can be of use.
      return Error(Code::corrupt, "has other bytes than the manifest says (" +
                                      std::string(algorithm_name(expected.algorithm())) +
                                      " expected " + expected.hex() + ", found " + found[i].hex() +
                                      ")")
          .as("checksum.mismatch");
    }
    return {};
  }

  Result<void> publish() {
    TRY(make_parents());
    TRY(disk_.rename_new(part_, bag_ / item_.path));
    (void)disk_.remove_file(mark_);  // Best effort: without its part it means nothing.
    return sync_folder(disk_, (bag_ / item_.path).parent_path());
  }

  // The folders above the file, none of which may be a link to somewhere else.
  Result<void> make_parents() {
    Path folder = bag_;
    const Path below = Path(item_.path).parent_path();
    for (const Path& name : below) {
      const Path parent = folder;
      folder /= name;
      auto made = disk_.make_folder(folder);
      if (made) {
        TRY(sync_folder(disk_, parent));
        continue;
      }
      if (made.error().code() != Code::exists) return made;
      TRY_SET(const FileInfo info, disk_.info(folder));
      if (info.kind != FileKind::folder) {
        return Error(Code::invalid, "'" + printable(folder.native()) + "' is no folder");
      }
    }
    return {};
  }

  Disk& disk_;
  const bagit::FetchItem& item_;
  const FetchOptions& options_;
  const client::TlsContext& tls_;
  FetchProgress& progress_;
  const Path bag_;
  const Path part_;
  const Path mark_;  // of what the part is a part
  std::string url_;  // that fetch.txt names, whereever it redirects to
  std::optional<Hasher> hasher_;
  std::string etag_;
  std::uint64_t offset_ = 0;
  std::atomic<std::uint64_t> received_{0};
};

Result<void> check_space(Disk& disk, const Path& bag, const std::vector<bagit::FetchItem>& items) {
  TRY_SET(const Space space, disk.space(bag));
  std::uint64_t left = space.free_bytes;
  for (const bagit::FetchItem& item : items) {
    const std::uint64_t length = item.length.value_or(0);
    if (length > left) {
      return Error(Code::no_space, "fetch.txt announces more bytes than the " +
                                       human_bytes(space.free_bytes) + " that are free");
    }
    left -= length;
  }
  return {};
}

// The folder of parts. One that came with the bag may hold anything: it goes, and with it what a
// stranger would have us send or take for half a file.
Result<void> prepare_folder(Disk& disk, const Path& folder) {
  auto made = disk.make_folder(folder, kFolderMode);
  if (made || made.error().code() != Code::exists) return made;
  TRY_SET(const FileInfo info, disk.info(folder));
  if (info.kind != FileKind::folder) {
    return Error(Code::invalid, printable(folder.native()) + " is no folder; remove it");
  }
  // Only the owner can set a mode, even to what it is.
  const bool ours = info.mode == kFolderMode && bool(disk.set_mode(folder, kFolderMode));
  if (ours) return {};
  TRY(remove_tree(disk, folder));
  return disk.make_folder(folder, kFolderMode);
}

// Servers that fail in the same way again and again, whichever file they are asked for.
class Servers {
 public:
  // False when none of the file's addresses need be asked any more; then it is counted.
  bool worth_asking(const bagit::FetchItem& item) {
    const std::scoped_lock lock(mutex_);
    State* dead = nullptr;
    for (const std::string& url : item.urls) {
      State& state = of_host_[host_of_url(url)];
      if (state.count < kFailuresOfServer) return true;
      dead = &state;
    }
    if (dead != nullptr) ++dead->left_out;
    return dead == nullptr;
  }

  void ended(const bagit::FetchItem& item, const Result<void>& done, std::uint64_t received) {
    if (done || received > 0 || !is_of_the_server(done.error())) {
      answers(item);
    } else {
      failed(item, done.error());
    }
  }

  std::vector<FetchGivenUp> given_up() const {
    std::vector<FetchGivenUp> out;
    for (const auto& [host, state] : of_host_) {
      if (state.count < kFailuresOfServer) continue;
      out.push_back({.host = host, .why = state.why, .files = state.left_out});
    }
    return out;
  }

 private:
  struct State {
    std::string why;
    std::size_t count = 0;  // in a row
    std::uint64_t left_out = 0;
  };

  // Not what it says of one file: another may be there.
  static bool is_of_the_server(const Error& error) {
    return error.code() == Code::network || error.code() == Code::timeout ||
           error.reason() == "forbidden-address" || error.reason() == "fetch-unauthorized";
  }

  // It has sent something, or spoken of one file.
  void answers(const bagit::FetchItem& item) {
    const std::scoped_lock lock(mutex_);
    for (const std::string& url : item.urls) {
      State& state = of_host_[host_of_url(url)];
      if (state.count < kFailuresOfServer) state.count = 0;
    }
  }

  // With several addresses it is the last one that failed in the end.
  void failed(const bagit::FetchItem& item, const Error& error) {
    if (item.urls.empty()) return;
    const std::scoped_lock lock(mutex_);
    State& state = of_host_[host_of_url(item.urls.back())];
    if (state.count >= kFailuresOfServer) return;
    if (state.why != error.what()) state = {.why = error.what(), .count = 0, .left_out = 0};
    ++state.count;
  }

  std::mutex mutex_;  // Guards the rest while files are fetched.
  std::map<std::string, State> of_host_;
};

}  // namespace

bool is_strong_tag(std::string_view tag) {
  const auto fits = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7F);
  };
  return tag.size() >= 2 && tag.size() <= kEtagBytesMax && tag.front() == '"' &&
         tag.back() == '"' && std::all_of(tag.begin() + 1, tag.end() - 1, fits);
}

std::string mark_of(const std::string& url, const std::string& tag) {
  return digest_of(Algorithm::sha256, url).hex() + " " + tag;
}

std::string tag_of_mark(std::string_view mark, const std::string& url) {
  const std::string begin = mark_of(url, "");
  if (!mark.starts_with(begin)) return {};
  mark.remove_prefix(begin.size());
  return is_strong_tag(mark) ? std::string(mark) : "";
}

std::string refusal_of_url(const std::string& url, const FetchOptions& options) {
  const auto address = parse_url(url);
  return address ? refusal_of(*address, options) : "is no plain https address";
}

std::string host_of_url(const std::string& url) {
  const auto address = parse_url(url);
  return address ? host_of(address->url) : url;
}

Result<Fetched> fetch_items(const Path& bag,
                            const std::vector<bagit::FetchItem>& items,
                            const FetchOptions& options,
                            FetchProgress& progress) {
  Disk& disk = real_disk();
  TRY(check_space(disk, bag, items));
  TRY_SET(const client::TlsContext tls, client::TlsContext::make(options.ca_file));
  TRY(prepare_folder(disk, bag / kFolder));
  Fetched fetched;
  std::optional<Error> fatal;
  std::mutex mutex;  // Guards both.
  std::atomic<bool> over{false};
  Servers servers;
  {
    Pool pool(std::max<std::size_t>(options.jobs, 1), 16);
    for (const bagit::FetchItem& item : items) {
      if (over) break;
      pool.run([&] {
        if (over || !servers.worth_asking(item)) return;
        FileFetch one(disk, bag, item, options, tls, progress);
        auto done = one.run();
        servers.ended(item, done, one.received());
        const std::scoped_lock lock(mutex);
        if (done) {
          fetched.bytes += one.received();
          fetched.resumed_bytes += one.resumed();
          if (one.resumed() > 0) fetched.resumed.push_back({item.path, one.resumed()});
          ++fetched.files;
          ++progress.files;
          return;
        }
        fetched.kept_bytes += one.kept();
        const Code code = done.error().code();
        // What fails one file here would fail the rest as well.
        if (code == Code::cancelled || code == Code::io || code == Code::no_space) {
          if (!fatal) fatal = done.error();
          over = true;
        }
        fetched.failures.push_back({item.path, std::move(done).error()});
      });
    }
    pool.drain();
  }
  if (fatal) return *fatal;
  fetched.given_up = servers.given_up();
  std::sort(fetched.failures.begin(), fetched.failures.end(),
            [](const FetchFailure& a, const FetchFailure& b) { return a.path < b.path; });
  std::sort(fetched.resumed.begin(), fetched.resumed.end(),
            [](const FetchResumed& a, const FetchResumed& b) { return a.path < b.path; });
  // With parts in it, it stays for the next run.
  (void)disk.remove_folder(bag / kFolder);
  return fetched;
}

}  // namespace versement::cli
