#include "service/http/router.hpp"

#include <algorithm>
#include <cassert>

#include "store/base/text.hpp"

namespace versement::http {
namespace {

using Parameters = std::map<std::string, std::string, std::less<>>;

bool matches(std::string_view path, const std::vector<std::string>& segments, Parameters* found) {
  found->clear();
  const auto parts = split(path.substr(1), '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    if (i >= segments.size()) return false;
    if (part.ends_with("...}")) {
      std::string rest;
      for (std::size_t k = i; k < segments.size(); ++k)
        rest += (k > i ? "/" : "") + segments[k];
      (*found)[std::string(part.substr(1, part.size() - 5))] = rest;
      return !rest.empty();
    }
    if (part.starts_with('{')) {
      if (segments[i].empty()) return false;
      (*found)[std::string(part.substr(1, part.size() - 2))] = segments[i];
    } else if (part != segments[i]) {
      return false;
    }
  }
  return parts.size() == segments.size();
}

}  // namespace

const std::string& Call::parameter(std::string_view name) const {
  const auto found = parameters.find(name);
  assert(found != parameters.end());
  return found->second;
}

void Router::add(Route route) {
  routes_.push_back(std::move(route));
}

Router::Match Router::find(const Request& request) const {
  Match match;
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  Parameters parameters;
  for (const Route& route : routes_) {
    if (!matches(route.path, request.segments, &parameters)) continue;
    match.methods.push_back(route.method);
    if (route.method == "GET") match.methods.emplace_back("HEAD");
    if (route.method != method || match.route != nullptr) continue;
    match.route = &route;
    match.parameters = parameters;
  }
  return match;
}

}  // namespace versement::http
