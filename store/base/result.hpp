// Result and Error: how a function says that the world, or its input, failed.
//
// Three kinds of failure, three answers. The world failed (disk, peer, file) and outside data is
// wrong: both return Result<T>. We are wrong: assert. Nothing else throws on purpose.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace versement {

// What kind of failure it was; decides the exit code of a command and the status of an answer.
enum class Code {
  invalid,      // outside data breaks a rule
  not_found,    //
  exists,       //
  denied,       // the system or the caller's role does not permit it
  io,           // the device or file system failed
  no_space,     // no bytes or inodes left
  corrupt,      // bytes are there, but not the ones that were stored
  conflict,     // the state of the thing does not permit it
  limit,        // larger, deeper or more than store/base/limits.hpp permits
  cancelled,    // a person or a shutdown asked for it
  unavailable,  // not now: read-only, starting, busy; the same call may succeed later
  unsupported,  // a version or feature that this program does not know
  timeout,      //
  network,      // the peer is gone or never answered
  internal,     // a defect of ours that was caught at a boundary
};

std::string_view code_name(Code code);

// A failure with its story. `what()` is one line for a person: which thing, why, and where it helps
// what to do. `reason()` is a stable word for programs ("digest-mismatch"); empty when the code
// says it all.
class Error {
 public:
  Error(Code code, std::string what) : code_(code), what_(std::move(what)) {}

  // The error of a failed system call: `what` names the act and the file.
  static Error from_errno(int number, std::string_view what);

  Code code() const { return code_; }
  const std::string& what() const { return what_; }
  const std::string& reason() const { return reason_; }

  // Returns the same error with a stable word for programs.
  Error as(std::string_view reason) &&;
  // Returns the same error with the act it interrupted in front: "CONTEXT: WHAT".
  Error during(std::string_view context) &&;

 private:
  Code code_;
  std::string what_;
  std::string reason_;
};

// True when the system gave no answer: a right, a descriptor, memory or the device is wanting, or
// somebody stopped it. That says nothing about the bytes that were asked for.
bool is_unanswered(const Error& error);

// Either a T or an Error. Looked at before use: operator* asserts.
template <class T>
class [[nodiscard]] Result {
 public:
  using Value = T;

  // NOLINTNEXTLINE(google-explicit-constructor): a value is a success.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor): an error is a failure.
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }

  T& operator*() & {
    assert(*this);
    return *std::get_if<0>(&state_);
  }
  const T& operator*() const& {
    assert(*this);
    return *std::get_if<0>(&state_);
  }
  T&& operator*() && {
    assert(*this);
    return std::move(*std::get_if<0>(&state_));
  }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }

  Error& error() & {
    assert(!*this);
    return *std::get_if<1>(&state_);
  }
  const Error& error() const& {
    assert(!*this);
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    assert(!*this);
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): an error is a failure.
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return !error_.has_value(); }

  Error& error() & {
    assert(error_);
    return *error_;
  }
  const Error& error() const& {
    assert(error_);
    return *error_;
  }
  Error&& error() && {
    assert(error_);
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace versement

#define VERSEMENT_JOIN_INNER(a, b) a##b
#define VERSEMENT_JOIN(a, b) VERSEMENT_JOIN_INNER(a, b)

// Leaves the function with the error, if there is one. Stands alone on its line.
#define TRY(expression)                                \
  do {                                                 \
    if (auto try_result = (expression); !try_result) { \
      return std::move(try_result).error();            \
    }                                                  \
  } while (false)

// Declares a variable with the value, or leaves the function with the error:
//   TRY_SET(const auto bytes, read_file(path, kLimit));
#define TRY_SET(declaration, expression)                             \
  auto VERSEMENT_JOIN(try_result_, __LINE__) = (expression);         \
  if (!VERSEMENT_JOIN(try_result_, __LINE__)) {                      \
    return std::move(VERSEMENT_JOIN(try_result_, __LINE__)).error(); \
  }                                                                  \
  declaration = *std::move(VERSEMENT_JOIN(try_result_, __LINE__))
