// A blocking connection to an HTTP server, plain or TLS, and what is asked over it.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <sys/types.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "client/address.hpp"
#include "store/base/fd.hpp"
#include "store/base/limits.hpp"
#include "store/base/result.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace versement::client {

struct Url {
  bool tls = false;
  std::string host;
  std::string port;
  std::string path;  // without a slash at its end; empty for the server itself

  // "http://HOST[:PORT][/PATH]" or https. Errors: invalid, for one with a name or secret, too.
  static Result<Url> parse(const std::string& text);
};

// Whom TLS trusts. Thread safe.
class TlsContext {
 public:
  // `ca_file` has certificates in PEM; empty: the system's. Errors: invalid.
  static Result<TlsContext> make(const std::string& ca_file);

 private:
  friend class Connection;
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

struct Waits {
  std::chrono::milliseconds each{60'000};  // of one read or write
  std::chrono::milliseconds all{0};        // of the whole connection; 0: as long as it takes
};

// Beast reads from it. One thread uses it, but for abort().
class Connection {
 public:
  // `tls` is used for https only. Without `permit` every address will do.
  // Errors: network; those of `permit`.
  static Result<std::unique_ptr<Connection>> open(const Url& url,
                                                  const Waits& waits,
                                                  const TlsContext& tls,
                                                  const Permit& permit = {});

  Result<void> send(std::string_view bytes);

  // Beast's SyncReadStream.
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& code) {
    const auto into = *boost::asio::buffer_sequence_begin(buffers);
    const auto count = read_raw(into.data(), into.size());
    if (count > 0) {
      code = {};
      return static_cast<std::size_t>(count);
    }
    if (count == 0) {
      code = boost::asio::error::eof;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      code = boost::asio::error::timed_out;
    } else {
      code = boost::system::error_code(errno, boost::system::system_category());
    }
    return 0;
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    boost::system::error_code code;
    const std::size_t count = read_some(buffers, code);
    if (code) throw boost::system::system_error(code);
    return count;
  }

  // Ends what waits on the connection, from another thread.
  void abort();

  boost::beast::flat_buffer buffer{limits::kChunkBytes};

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };

  Result<void> connect(const Url& url, std::chrono::milliseconds wait, const Permit& permit);
  Result<void> secure(const Url& url, ssl_ctx_st* context);
  ssize_t read_raw(void* into, std::size_t size);
  ssize_t write_some(std::string_view bytes);

  Fd socket_;
  std::unique_ptr<ssl_st, Free> ssl_;
  std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::time_point::max();
};

}  // namespace versement::client
