// The API's description, built into the program from service/api/openapi.json.
#pragma once

#include <string_view>

namespace versement::api {

std::string_view openapi_json();

}  // namespace versement::api
