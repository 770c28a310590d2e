// Time stamps (RFC 3161): a time authority signs that a checkpoint existed at its time. A stamp is
// over the bytes of the note, so `openssl ts -verify -data NOTE -in TOKEN -token_in` checks it too.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/base/result.hpp"
#include "store/base/time.hpp"

namespace versement::journal {

struct Stamp {
  Timestamp time;
  std::string serial;     // hexadecimal
  std::string authority;  // the subject of the certificate that signed, RFC 2253
};

// Certificates of authorities that the caller trusts. Thread safe once made.
class StampAuthorities {
 public:
  // One certificate or more in PEM. Errors: invalid.
  static Result<StampAuthorities> parse(std::string_view pem);
  StampAuthorities(StampAuthorities&&) noexcept;
  StampAuthorities& operator=(StampAuthorities&&) noexcept;
  StampAuthorities(const StampAuthorities&) = delete;
  StampAuthorities& operator=(const StampAuthorities&) = delete;
  ~StampAuthorities();

 private:
  friend class StampCheck;
  struct Certificates;
  StampAuthorities();
  std::unique_ptr<Certificates> certificates_;
};

// What is sent to an authority (application/timestamp-query): SHA-256 of the note, a random number
// against replies of before, and the wish for its certificate.
Result<std::string> stamp_request(std::string_view note);

// The token in an authority's reply (application/timestamp-reply), once it fits the request and its
// signature is right. Errors: invalid when it is no reply or refuses (its words are in the text);
// corrupt ("journal-stamp") when it is of another request or wrongly signed; limit.
Result<std::string> token_of_reply(std::string_view reply,
                                   std::string_view request,
                                   std::string_view note);

// Reads a token and checks that it is of this note and rightly signed by the certificate that came
// with it. Errors: corrupt ("journal-stamp").
Result<Stamp> read_stamp(std::string_view token, std::string_view note);
// The same; the certificate must also lead to one of the authorities, as of the stamp's own time: a
// certificate that has ended since then takes nothing away.
// Errors: corrupt ("journal-stamp"); denied when the stamp is good, but of nobody in `authorities`.
Result<Stamp> verify_stamp(std::string_view token,
                           std::string_view note,
                           const StampAuthorities& authorities);

}  // namespace versement::journal
