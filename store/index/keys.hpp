// Every key of the index, in one place. A key is a table's letter, then parts; texts end with NUL,
// numbers are eight bytes big-endian, so that keys sort as their parts do.
//
//   m                     position, format                                        (meta)
//   c collection          record
//   i item                record            I sequence          item
//   C collection sequence item              n identifier item   (empty)
//   v item version        record            f item version path FileRow
//   F item version file   path
//   o object id           owner: "item SLUG" or "transfer ID"
//   s owner               state of verification
//   t transfer            record            T reference         transfer id
//   e transfer item       record            E item transfer     (empty)
//   g agreement           record            k token             record
//   j job                 record            J unfinished job    kind
//   p policy              record
//   O audit sequence      outcome that is not "verified"
//   x incident            record            X owner path kind   open incident's id
//   N                     counters
//   S authority           its last time stamp  W witness        its last cosignature
//   K journal index       replacement of the journal's key
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace versement::index::keys {

class Key {
 public:
  explicit Key(char table) : text_(1, table) {}
  Key& text(std::string_view part) {
    text_ += part;
    text_ += '\0';
    return *this;
  }
  Key& number(std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8)
      text_ += static_cast<char>(value >> shift & 0xFFu);
    return *this;
  }
  const std::string& get() const { return text_; }

 private:
  std::string text_;
};

inline std::string meta(std::string_view name) {
  return Key('m').text(name).get();
}
inline std::string collection(std::string_view id) {
  return Key('c').text(id).get();
}
inline std::string item(std::string_view slug) {
  return Key('i').text(slug).get();
}
inline std::string item_at(std::uint64_t sequence) {
  return Key('I').number(sequence).get();
}
inline std::string item_of_collection(std::string_view id, std::uint64_t sequence) {
  return Key('C').text(id).number(sequence).get();
}
inline std::string items_of_collection(std::string_view id) {
  return Key('C').text(id).get();
}
inline std::string identifier(std::string_view value, std::string_view slug) {
  return Key('n').text(value).text(slug).get();
}
inline std::string identifiers(std::string_view value) {
  return Key('n').text(value).get();
}
inline std::string version(std::string_view slug, std::uint32_t number) {
  return Key('v').text(slug).number(number).get();
}
inline std::string versions(std::string_view slug) {
  return Key('v').text(slug).get();
}
inline std::string files(std::string_view slug, std::uint32_t number) {
  return Key('f').text(slug).number(number).get();
}
inline std::string file(std::string_view slug, std::uint32_t number, std::string_view path) {
  return Key('f').text(slug).number(number).text(path).get();
}
inline std::string file_id(std::string_view slug, std::uint32_t number, std::string_view id) {
  return Key('F').text(slug).number(number).text(id).get();
}
inline std::string object(std::string_view id) {
  return Key('o').text(id).get();
}
inline std::string verification(std::string_view owner) {
  return Key('s').text(owner).get();
}
inline std::string transfer(std::string_view id) {
  return Key('t').text(id).get();
}
inline std::string reference(std::string_view text) {
  return Key('T').text(text).get();
}
inline std::string transfer_item(std::string_view transfer, std::string_view slug) {
  return Key('e').text(transfer).text(slug).get();
}
inline std::string transfer_items(std::string_view transfer) {
  return Key('e').text(transfer).get();
}
inline std::string transfer_of_item(std::string_view slug, std::string_view transfer) {
  return Key('E').text(slug).text(transfer).get();
}
inline std::string transfers_of_item(std::string_view slug) {
  return Key('E').text(slug).get();
}
inline std::string agreement(std::string_view id) {
  return Key('g').text(id).get();
}
inline std::string token(std::string_view id) {
  return Key('k').text(id).get();
}
inline std::string job(std::string_view id) {
  return Key('j').text(id).get();
}
inline std::string unfinished_job(std::string_view id) {
  return Key('J').text(id).get();
}
inline std::string policy(std::string_view id) {
  return Key('p').text(id).get();
}
inline std::string outcome(std::string_view audit, std::uint64_t sequence) {
  return Key('O').text(audit).number(sequence).get();
}
inline std::string outcomes(std::string_view audit) {
  return Key('O').text(audit).get();
}
inline std::string incident(std::string_view id) {
  return Key('x').text(id).get();
}
inline std::string open_incident(std::string_view owner,
                                 std::string_view path,
                                 std::string_view kind) {
  return Key('X').text(owner).text(path).text(kind).get();
}
inline std::string stamp(std::string_view authority) {
  return Key('S').text(authority).get();
}
inline std::string cosignature(std::string_view witness) {
  return Key('W').text(witness).get();
}
inline std::string key_change(std::uint64_t index) {
  return Key('K').number(index).get();
}
inline std::string counters() {
  return Key('N').get();
}

// The part of a key behind the prefix that it was found with, without the NUL at its end.
inline std::string_view rest(std::string_view key, std::string_view prefix) {
  key.remove_prefix(prefix.size());
  if (!key.empty() && key.back() == '\0') key.remove_suffix(1);
  return key;
}

}  // namespace versement::index::keys
