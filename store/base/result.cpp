#include "store/base/result.hpp"

#include <cerrno>
#include <system_error>

namespace versement {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::invalid:
      return "invalid";
    case Code::not_found:
      return "not found";
    case Code::exists:
      return "exists already";
    case Code::denied:
      return "denied";
    case Code::io:
      return "I/O error";
    case Code::no_space:
      return "no space";
    case Code::corrupt:
      return "corrupt";
    case Code::conflict:
      return "conflict";
    case Code::limit:
      return "limit exceeded";
    case Code::cancelled:
      return "cancelled";
    case Code::unavailable:
      return "unavailable";
    case Code::unsupported:
      return "unsupported";
    case Code::timeout:
      return "timed out";
    case Code::network:
      return "network error";
    case Code::internal:
      return "internal error";
  }
  return "unknown";
}

namespace {

Code code_of_errno(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return Code::not_found;
    case EEXIST:
    case ENOTEMPTY:
      return Code::exists;
    case EACCES:
    case EPERM:
      return Code::denied;
    case EROFS:
      return Code::unavailable;
    case ENOSPC:
    case EDQUOT:
      return Code::no_space;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return Code::unavailable;
    case ELOOP:
    case EXDEV:
      return Code::invalid;
    case ETIMEDOUT:
      return Code::timeout;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return Code::network;
    default:
      return Code::io;
  }
}

}  // namespace

bool is_unanswered(const Error& error) {
  switch (error.code()) {
    case Code::denied:
    case Code::io:
    case Code::no_space:
    case Code::cancelled:
    case Code::unavailable:
    case Code::timeout:
    case Code::network:
    case Code::internal:
      return true;
    default:
      return false;
  }
}

Error Error::from_errno(int number, std::string_view what) {
  std::string text(what);
  text += ": ";
  text += std::generic_category().message(number);
  return {code_of_errno(number), std::move(text)};
}

Error Error::as(std::string_view reason) && {
  reason_ = reason;
  return std::move(*this);
}

Error Error::during(std::string_view context) && {
  what_.insert(0, ": ");
  what_.insert(0, context);
  return std::move(*this);
}

}  // namespace versement
