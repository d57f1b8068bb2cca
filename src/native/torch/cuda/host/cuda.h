// What kernels.cu needs of CUDA, on threads of the host: a block at a time, a thread of the host to each of its threads, so that
// `__syncthreads` is a barrier that must be there.
#pragma once

#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(threads)
#define __shared__ static

struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct Index {
  unsigned x;
};

inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) {
  return {x, y, z, w};
}

inline uint2 make_uint2(unsigned x, unsigned y) {
  return {x, y};
}

template <typename To, typename From>
To same_bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

inline float __uint_as_float(unsigned bits) {
  return same_bits<float>(bits);
}

inline float __int_as_float(unsigned bits) {
  return same_bits<float>(bits);
}

inline unsigned __float_as_uint(float value) {
  return same_bits<unsigned>(value);
}

inline double rsqrt(double value) {
  return 1 / std::sqrt(value);
}

// C++20's std::barrier, which older compilers that build kfood do not have.
class Barrier {
 public:
  explicit Barrier(int64_t threads) : threads_(threads), awaited_(threads) {}

  void arrive_and_wait() {
    std::unique_lock lock(mutex_);
    const int64_t round = round_;
    if (--awaited_ == 0) {
      awaited_ = threads_;
      ++round_;
      all_.notify_all();
    } else {
      all_.wait(lock, [&] { return round_ != round; });
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_;
  const int64_t threads_;
  int64_t awaited_, round_ = 0;
};

thread_local Index threadIdx, blockIdx;
Index gridDim;
Barrier* block_barrier = nullptr;

inline void __syncthreads() {
  block_barrier->arrive_and_wait();
}

// As a kernel takes it. The driver passes eight bytes for a pointer and looks no further: what stands in for it here refuses a
// number for a pointer, and a number of another size.
template <typename To, typename From>
To argument(From from) {
  static_assert(std::is_pointer_v<To> == (std::is_pointer_v<From> || std::is_null_pointer_v<From>));
  if constexpr (std::is_pointer_v<To>) {
    return static_cast<To>(const_cast<void*>(static_cast<const void*>(from)));
  } else {
    static_assert(sizeof(To) == sizeof(From) && std::is_floating_point_v<To> == std::is_floating_point_v<From>);
    return static_cast<To>(from);
  }
}

template <typename... Parameters, typename... Arguments>
void launch_on_host(void (*kernel)(Parameters...), int64_t blocks, int64_t threads, Arguments... arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments));
  Barrier together(threads);
  block_barrier = &together;
  gridDim.x = static_cast<unsigned>(blocks);
  std::vector<std::thread> all;
  for (int64_t thread = 0; thread < threads; ++thread) {
    all.emplace_back([&, thread] {
      threadIdx.x = static_cast<unsigned>(thread);
      for (int64_t block = 0; block < blocks; ++block) {
        blockIdx.x = static_cast<unsigned>(block);
        kernel(argument<Parameters>(arguments)...);
        together.arrive_and_wait();
      }
    });
  }
  for (auto& thread : all) {
    thread.join();
  }
}
