// Identifiers: each kind is a type of its own, so that none can be taken for another.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "store/base/result.hpp"
#include "store/base/time.hpp"

namespace versement {

// 128 bits as RFC 9562 writes them: "0193529c-7c1e-7d3a-9a51-0c8e5f1d2b44".
class Uuid {
 public:
  Uuid() = default;
  static Result<Uuid> parse(std::string_view text);
  // Version 7: begins with the time, so that later ones sort later. Unique even within one
  // millisecond (74 random bits).
  static Uuid at(Timestamp now);
  // Version 5: the same name gives the same id, for ever.
  static Uuid of_name(const Uuid& space, std::string_view name);

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend auto operator<=>(const Uuid&, const Uuid&) = default;

 private:
  explicit Uuid(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// The name space of version 5 ids that Versement derives from paths.
const Uuid& uuid_space();

// A name in URLs, folder names and METS OBJIDs: [A-Za-z0-9][A-Za-z0-9._-]{0,127}.
class Slug {
 public:
  Slug() = default;
  static Result<Slug> parse(std::string_view text);
  // The nearest slug to any text: accents taken away, other characters become '-'. Empty when
  // nothing is left.
  static Slug nearest(std::string_view text);
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend auto operator<=>(const Slug&, const Slug&) = default;

 private:
  explicit Slug(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// An OCFL object's id: an ASCII URI of at most 100 characters once percent-coded.
class ObjectId {
 public:
  ObjectId() = default;
  static Result<ObjectId> parse(std::string_view text);
  static ObjectId of_uuid(const Uuid& uuid);  // urn:uuid:…
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;

 private:
  explicit ObjectId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// A version of an object: 1, 2, 3 …
class Version {
 public:
  Version() = default;
  explicit Version(std::uint32_t number) : number_(number) {}
  std::uint32_t number() const { return number_; }
  std::string folder() const { return "v" + std::to_string(number_); }
  friend auto operator<=>(const Version&, const Version&) = default;

 private:
  std::uint32_t number_ = 1;
};

}  // namespace versement
