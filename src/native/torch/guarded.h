// Every function of the shim returns nullptr, or a message allocated with strdup() that the caller hands back to kfood_free():
// no exception crosses into Rust.
#pragma once

#include <c10/util/Exception.h>

#include <cstdlib>
#include <cstring>
#include <exception>

template <typename Work>
char* guarded(Work work) noexcept {
  try {
    work();
    return nullptr;
  } catch (const c10::Error& e) {
    return strdup(e.what_without_backtrace());
  } catch (const std::exception& e) {
    return strdup(e.what());
  } catch (...) {
    return strdup("an unknown C++ exception");
  }
}
