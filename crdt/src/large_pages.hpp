#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace palimpsest::crdt::internal {

// An allocator for tables that can become very large: from kLarge on it asks for large pages, of
// which the system sets up one where it would set up 512. That takes a third of the time in which a
// document of ten million characters is loaded. Elsewhere than on Linux it is std::allocator.
template <class T>
struct LargePages {
  using value_type = T;

  LargePages() = default;
  template <class Other>
  LargePages(const LargePages<Other>&) noexcept {}

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
#if defined(__linux__)
    if (bytes >= kLarge) {
      const std::size_t whole = (bytes + kPage - 1) / kPage * kPage;
      void* const pages = std::aligned_alloc(kPage, whole);
      if (pages == nullptr) throw std::bad_alloc();
      ::madvise(pages, whole, MADV_HUGEPAGE);  // else they are small
      return static_cast<T*>(pages);
    }
#endif
    return static_cast<T*>(::operator new(bytes));
  }

  // What a table is lengthened by, without values, is left to whoever does so to fill.
  template <class Element>
  void construct(Element*) noexcept {
    static_assert(std::is_trivially_copyable_v<Element>);
  }
  template <class Element, class... Arguments>
  void construct(Element* at, Arguments&&... arguments) {
    ::new (static_cast<void*>(at)) Element(std::forward<Arguments>(arguments)...);
  }

  void deallocate(T* memory, std::size_t count) noexcept {
#if defined(__linux__)
    if (count * sizeof(T) >= kLarge) return std::free(memory);
#endif
    ::operator delete(memory);
  }

  friend bool operator==(const LargePages&, const LargePages&) { return true; }

 private:
  static constexpr std::size_t kPage = std::size_t{2} << 20;
  static constexpr std::size_t kLarge = 4 * kPage;
};

}  // namespace palimpsest::crdt::internal
