// Work on the pool, answer on the network thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include "service/net/asio.hpp"
#include "store/base/pool.hpp"

namespace versement::net {

// Runs `work` on the pool and resumes the coroutine with what it returned. The function is bound to
// a named local by the caller: g++ 12 frees a lambda written into the statement twice.
template <class T>
asio::awaitable<T> offload(Pool& pool, std::function<T()> work) {
  auto result = std::make_shared<std::optional<T>>();
  const auto executor = co_await asio::this_coro::executor;
  auto initiate = [&pool, work = std::move(work), result, executor](auto handler) mutable {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    pool.run([work = std::move(work), result, executor, shared]() mutable {
      result->emplace(work());
      work = nullptr;
      asio::post(executor, [shared = std::move(shared)]() mutable { (*shared)(); });
    });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(std::move(initiate),
                                                                        asio::use_awaitable);
  co_return *std::move(*result);
}

}  // namespace versement::net
