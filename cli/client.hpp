// The API over HTTP or HTTPS, as the command sees it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "store/base/json.hpp"
#include "store/base/result.hpp"

namespace versement::cli {

struct ServerAddress {
  std::string url = "http://127.0.0.1:8480";
  std::string token;                          // empty: none is sent
  std::string ca_file;                        // PEM; empty: the system's
  std::chrono::milliseconds timeout{60'000};  // of each wait
};

struct Reply {
  int status = 0;
  std::string etag;
  json::Object body;
};

struct Download {
  int status = 0;                 // 200 or 206
  std::uint64_t first = 0;        // offset of the first byte that is handed on
  std::uint64_t total_bytes = 0;  // of the whole representation
  std::string etag;
};

// One connection at a time, made anew when it is lost. Not thread safe.
class Client {
 public:
  // Errors: invalid for a URL.
  static Result<std::unique_ptr<Client>> make(ServerAddress address);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Errors: what the server refused, as problem() tells; network; timeout.
  Result<Reply> get(const std::string& path);
  Result<Reply> post(const std::string& path, const json::Object& body);
  Result<Reply> post_text(const std::string& path, const std::string& text);
  Result<Reply> patch(const std::string& path, const json::Object& body);
  Result<Reply> remove(const std::string& path);

  // GET from an offset on; `begin` sees the head, `data` the bytes as they arrive.
  Result<Download> download(const std::string& path,
                            std::uint64_t offset,
                            const std::string& etag,
                            const std::function<Result<void>(const Download&)>& begin,
                            const std::function<Result<void>(std::span<const std::byte>)>& data);

  // GET into a new file, which is removed again unless all has come. Errors: exists, when there is
  // one; io; network when it ended early; what the server said.
  Result<void> fetch_file(const std::string& path, const std::string& to);

  // All entries of a list, page by page; stops early when `each` returns false.
  Result<void> list(const std::string& path, const std::function<bool(const json::Object&)>& each);

  // The problem that the last failed call brought, if the server sent one.
  const json::Object& problem() const;

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  Result<Reply> call(const std::string& method,
                     const std::string& path,
                     const std::string& body,
                     std::string_view media_type = "application/json");
  std::unique_ptr<State> state_;
};

}  // namespace versement::cli
