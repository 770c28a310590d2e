#include "store/journal/stamp.hpp"

#include <array>
#include <ctime>
#include <vector>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509.h>

#include "store/base/digest.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::journal {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* one) const {
    Free(one);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freed<Free>>;

using Certificate = Owned<X509, X509_free>;
using Request = Owned<TS_REQ, TS_REQ_free>;
using Reply = Owned<TS_RESP, TS_RESP_free>;
using Token = Owned<PKCS7, PKCS7_free>;
using TokenInfo = Owned<TS_TST_INFO, TS_TST_INFO_free>;
using Context = Owned<TS_VERIFY_CTX, TS_VERIFY_CTX_free>;
using Store = Owned<X509_STORE, X509_STORE_free>;
using Text = Owned<BIO, BIO_free_all>;

struct FreeSigners {  // The list, not the certificates.
  void operator()(STACK_OF(X509) * signers) const { sk_X509_free(signers); }
};
using Signers = std::unique_ptr<STACK_OF(X509), FreeSigners>;

// OpenSSL's own words for what it did not like last.
std::string openssl_says() {
  const unsigned long code = ERR_peek_last_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string said = reason == nullptr ? "it is malformed" : reason;
  ERR_clear_error();
  return said;
}

Error wrong_stamp(const std::string& what) {
  return Error(Code::corrupt, "the time stamp is not right: " + what).as("journal-stamp");
}

Error no_memory() {
  return {Code::unavailable, "no memory for a time stamp"};
}

// Reads DER to its very end.
template <class T, auto Free, class Read>
Owned<T, Free> read_der(std::string_view der, Read read) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  Owned<T, Free> value(read(nullptr, &at, static_cast<long>(der.size())));
  if (value && at != end) value.reset();
  return value;
}

template <class T, class Write>
Result<std::string> write_der(const T* value, Write write) {
  unsigned char* bytes = nullptr;
  const int length = write(value, &bytes);
  if (length <= 0) return no_memory();
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  return der;
}

std::string text_in(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return length > 0 ? std::string(data, static_cast<std::size_t>(length)) : std::string();
}

Result<Timestamp> time_of(const TS_TST_INFO& info) {
  std::tm parts = {};
  if (ASN1_TIME_to_tm(TS_TST_INFO_get_time(&info), &parts) != 1)
    return wrong_stamp("its time is malformed");
  return Timestamp(static_cast<std::int64_t>(::timegm(&parts)) * 1000);
}

std::string serial_of(const TS_TST_INFO& info) {
  const Text text(BIO_new(BIO_s_mem()));
  if (!text || i2a_ASN1_INTEGER(text.get(), TS_TST_INFO_get_serial(&info)) <= 0) return {};
  return lower_ascii(text_in(text.get()));
}

std::string subject_of(const X509& certificate) {
  const Text text(BIO_new(BIO_s_mem()));
  // Without XN_FLAG_ESC_MSB: names are UTF-8, not escapes.
  constexpr unsigned long kFlags = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
  if (!text || X509_NAME_print_ex(text.get(), X509_get_subject_name(&certificate), 0, kFlags) < 0)
    return {};
  return printable(text_in(text.get()));
}

}  // namespace

struct StampAuthorities::Certificates {
  std::vector<Certificate> all;
};

StampAuthorities::StampAuthorities() : certificates_(std::make_unique<Certificates>()) {}
StampAuthorities::StampAuthorities(StampAuthorities&&) noexcept = default;
StampAuthorities& StampAuthorities::operator=(StampAuthorities&&) noexcept = default;
StampAuthorities::~StampAuthorities() = default;

Result<StampAuthorities> StampAuthorities::parse(std::string_view pem) {
  const Text text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!text) return no_memory();
  StampAuthorities authorities;
  while (X509* const one = PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr))
    authorities.certificates_->all.emplace_back(one);
  const unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  if (authorities.certificates_->all.empty() || ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
    return Error(Code::invalid, "certificates in PEM are expected");
  }
  return authorities;
}

// One token being checked. Not thread safe.
class StampCheck {
 public:
  static Result<StampCheck> begin(std::string_view token) {
    StampCheck check;
    if (token.size() > limits::kStampBytesMax)
      return Error(Code::limit, "the time stamp is too long");
    check.token_ = read_der<PKCS7, PKCS7_free>(token, d2i_PKCS7);
    if (!check.token_ || PKCS7_type_is_signed(check.token_.get()) != 1)
      return wrong_stamp(openssl_says());
    check.info_.reset(PKCS7_to_TS_TST_INFO(check.token_.get()));
    if (!check.info_) return wrong_stamp(openssl_says());
    const Signers signers(PKCS7_get0_signers(check.token_.get(), nullptr, 0));
    if (!signers || sk_X509_num(signers.get()) != 1)
      return wrong_stamp("the certificate that signed it is not in it");
    check.signer_ = sk_X509_value(signers.get(), 0);
    ERR_clear_error();
    return check;
  }

  Result<Stamp> facts() const {
    Stamp stamp;
    TRY_SET(stamp.time, time_of(*info_));
    stamp.serial = serial_of(*info_);
    stamp.authority = subject_of(*signer_);
    return stamp;
  }

  // Under the certificate that signed it, whoever that is.
  Result<void> check_alone(std::string_view note) const {
    TRY_SET(const Store store, new_store());
    X509_STORE_add_cert(store.get(), signer_);
    X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    return check(note, store.get());
  }

  Result<void> check_under(std::string_view note, const StampAuthorities& authorities) const {
    TRY_SET(const Store store, new_store());
    for (const Certificate& one : authorities.certificates_->all)
      X509_STORE_add_cert(store.get(), one.get());
    return check(note, store.get());
  }

 private:
  Result<Store> new_store() const {
    Store store(X509_STORE_new());
    if (!store) return no_memory();
    TRY_SET(const Timestamp time, time_of(*info_));
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()),
                               static_cast<std::time_t>(time.ms() / 1000));
    return store;
  }

  // Form, signature, certificate and the note's digest.
  Result<void> check(std::string_view note, X509_STORE* store) const {
    const Context context(TS_VERIFY_CTX_new());
    const Text data(BIO_new_mem_buf(note.data(), static_cast<int>(note.size())));
    if (!context || !data) return no_memory();
    TS_VERIFY_CTX_set_flags(context.get(), TS_VFY_VERSION | TS_VFY_DATA | TS_VFY_SIGNATURE);
    X509_STORE_up_ref(store);
    TS_VERIFY_CTX_set_store(context.get(), store);  // Owns what it is given.
    TS_VERIFY_CTX_set_data(context.get(), data.get());
    const int good = TS_RESP_verify_token(context.get(), token_.get());
    TS_VERIFY_CTX_set_data(context.get(), nullptr);
    if (good == 1) return {};
    return wrong_stamp(openssl_says());
  }

  Token token_;
  TokenInfo info_;
  X509* signer_ = nullptr;  // In token_.
};

Result<std::string> stamp_request(std::string_view note) {
  const Digest digest = digest_of(Algorithm::sha256, note);
  const Request request(TS_REQ_new());
  const Owned<TS_MSG_IMPRINT, TS_MSG_IMPRINT_free> imprint(TS_MSG_IMPRINT_new());
  const Owned<X509_ALGOR, X509_ALGOR_free> algorithm(X509_ALGOR_new());
  const Owned<ASN1_INTEGER, ASN1_INTEGER_free> nonce(ASN1_INTEGER_new());
  if (!request || !imprint || !algorithm || !nonce) return no_memory();
  std::array<std::byte, 8> random{};
  random_bytes(random);
  std::uint64_t number = 0;
  for (const std::byte each : random)
    number = number << 8 | std::to_integer<std::uint64_t>(each);
  const auto bytes = digest.bytes();
  // The reader of a request wants an explicit NULL behind the algorithm.
  const bool made =
      X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr) == 1 &&
      TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) == 1 &&
      TS_MSG_IMPRINT_set_msg(
          imprint.get(),
          const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data())),
          static_cast<int>(bytes.size())) == 1 &&
      ASN1_INTEGER_set_uint64(nonce.get(), number) == 1 &&
      TS_REQ_set_version(request.get(), 1) == 1 &&
      TS_REQ_set_msg_imprint(request.get(), imprint.get()) == 1 &&
      TS_REQ_set_nonce(request.get(), nonce.get()) == 1 &&
      TS_REQ_set_cert_req(request.get(), 1) == 1;
  if (!made) return no_memory();
  return write_der(request.get(), i2d_TS_REQ);
}

Result<std::string> token_of_reply(std::string_view reply,
                                   std::string_view request,
                                   std::string_view note) {
  if (reply.size() > limits::kStampBytesMax)
    return Error(Code::limit, "the time authority's reply is too long");
  const auto asked = read_der<TS_REQ, TS_REQ_free>(request, d2i_TS_REQ);
  if (!asked) return Error(Code::internal, "this is no request for a time stamp");
  const auto answer = read_der<TS_RESP, TS_RESP_free>(reply, d2i_TS_RESP);
  if (!answer) {
    ERR_clear_error();
    return Error(Code::invalid, "the time authority's answer is no time stamp");
  }
  TS_STATUS_INFO* const status = TS_RESP_get_status_info(answer.get());
  const long granted = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(status));
  if (granted != TS_STATUS_GRANTED && granted != TS_STATUS_GRANTED_WITH_MODS) {
    const Text said(BIO_new(BIO_s_mem()));
    if (said) TS_STATUS_INFO_print_bio(said.get(), status);
    std::string words = said ? text_in(said.get()) : std::string();
    for (char& c : words)
      c = c == '\n' ? ' ' : c;
    return Error(Code::invalid,
                 "the time authority refuses: " + printable(trim(words)).substr(0, 300));
  }
  const Context context(TS_REQ_to_TS_VERIFY_CTX(asked.get(), nullptr));
  if (!context) return no_memory();
  if (TS_RESP_verify_response(context.get(), answer.get()) != 1) return wrong_stamp(openssl_says());
  PKCS7* const token = TS_RESP_get_token(answer.get());
  if (token == nullptr) return wrong_stamp("there is none in the reply");
  TRY_SET(std::string der, write_der(token, i2d_PKCS7));
  TRY(read_stamp(der, note));
  return der;
}

Result<Stamp> read_stamp(std::string_view token, std::string_view note) {
  TRY_SET(const StampCheck check, StampCheck::begin(token));
  TRY(check.check_alone(note));
  return check.facts();
}

Result<Stamp> verify_stamp(std::string_view token,
                           std::string_view note,
                           const StampAuthorities& authorities) {
  TRY_SET(const StampCheck check, StampCheck::begin(token));
  TRY(check.check_alone(note));
  TRY_SET(Stamp stamp, check.facts());
  if (auto known = check.check_under(note, authorities); !known) {
    return Error(Code::denied,
                 stamp.authority +
                     " is not one of the authorities that were named: " + known.error().what());
  }
  return stamp;
}

}  // namespace versement::journal
