#include "tests/support/time_authority.hpp"

#include <cstdlib>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

namespace versement::testing {
namespace {

// Whatever fails here is a fault of the test.
void must(bool done) {
  if (!done) std::abort();
}

void extend(X509* certificate, int nid, const char* value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

ASN1_INTEGER* next_serial(TS_RESP_CTX* /*context*/, void* counter) {
  ASN1_INTEGER* const serial = ASN1_INTEGER_new();
  must(serial != nullptr &&
       ASN1_INTEGER_set_uint64(serial, ++*static_cast<unsigned*>(counter)) == 1);
  return serial;
}

int tell_time(TS_RESP_CTX* /*context*/, void* now, long* seconds, long* microseconds) {
  *seconds = static_cast<long>(*static_cast<const std::time_t*>(now));
  *microseconds = 0;
  return 1;
}

std::string text_in(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(length)};
}

}  // namespace

struct TimeAuthority::State {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  mutable unsigned serial = 0;
};

TimeAuthority::TimeAuthority(const std::string& name, std::time_t valid_from, int days)
    : state_(std::make_unique<State>()) {
  state_->key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  X509* const certificate = state_->certificate = X509_new();
  must(state_->key != nullptr && certificate != nullptr);
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  ASN1_TIME_set(X509_getm_notBefore(certificate), valid_from);
  ASN1_TIME_adj(X509_getm_notAfter(certificate), valid_from, days, 0);
  X509_NAME* const subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_set_pubkey(certificate, state_->key);
  extend(certificate, NID_ext_key_usage, "critical,timeStamping");
  extend(certificate, NID_key_usage, "critical,digitalSignature");
  must(X509_sign(certificate, state_->key, EVP_sha256()) > 0);
}

TimeAuthority::~TimeAuthority() {
  X509_free(state_->certificate);
  EVP_PKEY_free(state_->key);
}

std::string TimeAuthority::certificate() const {
  BIO* const out = BIO_new(BIO_s_mem());
  must(out != nullptr && PEM_write_bio_X509(out, state_->certificate) == 1);
  std::string pem = text_in(out);
  BIO_free(out);
  return pem;
}

std::string TimeAuthority::reply(std::string_view request, std::time_t now) const {
  TS_RESP_CTX* const context = TS_RESP_CTX_new();
  ASN1_OBJECT* const policy = OBJ_txt2obj("1.2.3.4.1", 1);
  must(context != nullptr && policy != nullptr);
  TS_RESP_CTX_set_serial_cb(context, next_serial, &state_->serial);
  TS_RESP_CTX_set_time_cb(context, tell_time, &now);
  must(TS_RESP_CTX_set_signer_cert(context, state_->certificate) == 1 &&
       TS_RESP_CTX_set_signer_key(context, state_->key) == 1 &&
       TS_RESP_CTX_set_signer_digest(context, EVP_sha256()) == 1 &&
       TS_RESP_CTX_set_def_policy(context, policy) == 1 &&
       TS_RESP_CTX_add_md(context, EVP_sha256()) == 1 &&
       TS_RESP_CTX_set_ess_cert_id_digest(context, EVP_sha256()) == 1);
  BIO* const in = BIO_new_mem_buf(request.data(), static_cast<int>(request.size()));
  TS_RESP* const response = TS_RESP_create_response(context, in);
  must(response != nullptr);
  BIO* const out = BIO_new(BIO_s_mem());
  must(out != nullptr && i2d_TS_RESP_bio(out, response) == 1);
  std::string der = text_in(out);
  BIO_free(out);
  BIO_free(in);
  TS_RESP_free(response);
  ASN1_OBJECT_free(policy);
  TS_RESP_CTX_free(context);
  return der;
}

}  // namespace versement::testing
