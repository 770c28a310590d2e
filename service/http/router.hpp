// From method and path to a handler.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "service/http/message.hpp"

namespace versement::http {

// A request on its way to its handler.
struct Call {
  const Request& request;
  const Principal& principal;
  const std::map<std::string, std::string, std::less<>>& parameters;  // of the path

  const std::string& parameter(std::string_view name) const;
};

using Handler = std::function<Result<Response>(const Call&)>;

struct Route {
  std::string method;
  std::string path;  // "/v1/items/{item_id}"; "{name...}" at the end takes all that follows
  Scope scope = Scope::none;
  std::size_t body_bytes_max = 0;  // 0: the operation takes no body
  Handler handler;
};

// Built once, then read by many threads.
class Router {
 public:
  void add(Route route);

  struct Match {
    const Route* route = nullptr;  // null: no such path, or no such method
    std::map<std::string, std::string, std::less<>> parameters;
    std::vector<std::string> methods;  // that the path has
  };
  // HEAD is answered by the route of GET.
  Match find(const Request& request) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace versement::http
