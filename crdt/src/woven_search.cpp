#include <algorithm>
#include <utility>

#include "crdt/error.hpp"
#include "crdt/reader.hpp"
#include "crdt/woven_text.hpp"
#include "utf16.hpp"

// Search over all moments at once.
//
// An occurrence is units u1 … un of the phrase's characters, in this order, at the moments at which
// all of them stood there and nothing between one and the next did. One of the characters is the
// anchor: the rarest of the text. Around each unit of that character the search goes outwards, with
// the moments at which what was found so far stood there. The nearest unit that was there at any of
// them decides: at the moments that both share, it is the next character or the end of this
// attempt; at those before it came and those behind it went, the search goes on past it. So every
// step ends an attempt, lengthens it, or cuts its moments in parts at the ends of a life: the cost
// does not depend on how many moments there are.

namespace palimpsest::crdt {

class WovenSearch {
 public:
  WovenSearch(const WovenText& text, std::u16string phrase, const WovenText::SearchLimits& limits)
      : text_(text), phrase_(std::move(phrase)), limits_(limits) {}

  WovenText::Found run() {
    const std::size_t anchor = choose_anchor();
    const char16_t wanted = phrase_[anchor];
    const auto& units = text_.units_;
    for (auto at = units.begin(); is_within_limits();) {
      at = std::find(at, units.end(), wanted);
      if (at == units.end()) break;
      look_around(static_cast<std::size_t>(at - units.begin()), anchor);
      ++at;
    }
    if (!is_within_limits()) found_.complete = false;
    return std::move(found_);
  }

 private:
  using Occurrence = WovenText::Occurrence;
  static constexpr std::size_t kNone = WovenText::kNone;

  // Units that match, from the anchor outwards, and the moments [begin, end) at which they do.
  struct Attempt {
    std::size_t from;     // look on from here
    std::size_t matched;  // so many characters, in this direction
    std::uint32_t begin;
    std::uint32_t end;
    std::size_t node;  // the last unit, in nodes_
  };
  struct Node {
    std::size_t unit;
    std::size_t parent;
  };

  bool is_within_limits() const {
    return steps_ < limits_.steps && found_.occurrences.size() < limits_.occurrences;
  }

  // What stands left of a character has nearly always been there for longer, so that looking there
  // first soon decides; that is why it is not the phrase's first, where there is a choice.
  std::size_t choose_anchor() const {
    constexpr std::size_t kEnough = 16;
    std::size_t best = 0;
    std::ptrdiff_t fewest = -1;
    for (std::size_t i = phrase_.size() > 1 ? 1 : 0; i < std::min(phrase_.size(), kEnough); ++i) {
      if (phrase_.find(phrase_[i], 1) < i) continue;
      const auto count = std::count(text_.units_.begin(), text_.units_.end(), phrase_[i]);
      if (fewest < 0 || count < fewest) {
        best = i;
        fewest = count;
      }
    }
    return best;
  }

  void look_around(std::size_t unit, std::size_t anchor) {
    nodes_.assign(1, {unit, kNone});
    lefts_.clear();
    spans_.clear();
    const Attempt start{unit, 0, text_.inserted_[unit], text_.deleted_[unit], 0};
    extend(start, anchor, /*to_left=*/true, lefts_,
           [&](std::size_t i) { return phrase_[anchor - 1 - i]; });
    const std::size_t rest = phrase_.size() - 1 - anchor;
    for (Attempt left : lefts_) {
      left.from = unit + 1;
      left.matched = 0;
      extend(left, rest, /*to_left=*/false, spans_,
             [&](std::size_t i) { return phrase_[anchor + 1 + i]; });
    }
    if (!spans_.empty()) report(unit);
  }

  // Adds to `done` what becomes of the attempt: with all `count` characters.
  template <class CharacterAt>
  void extend(const Attempt& start, std::size_t count, bool to_left, std::vector<Attempt>& done,
              CharacterAt&& character_at) {
    stack_.assign(1, start);
    while (!stack_.empty() && steps_ < limits_.steps) {
      const Attempt attempt = stack_.back();
      stack_.pop_back();
      if (attempt.matched == count) {
        done.push_back(attempt);
        continue;
      }
      const std::size_t next =
          to_left ? text_.previous_between(attempt.from, attempt.begin, attempt.end)
                  : text_.next_between(attempt.from, attempt.begin, attempt.end);
      steps_ += 1 + distance(attempt.from, next) / WovenText::kStretch;
      if (next == kNone) continue;
      const std::size_t past = to_left ? next : next + 1;
      const std::uint32_t came = text_.inserted_[next];
      const std::uint32_t went = text_.deleted_[next];
      Attempt part = attempt;
      part.from = past;
      if (attempt.begin < came) {
        part.end = came;
        stack_.push_back(part);
      }
      if (went < attempt.end) {
        part.begin = went;
        part.end = attempt.end;
        stack_.push_back(part);
      }
      if (text_.units_[next] != character_at(attempt.matched)) continue;
      nodes_.push_back({next, attempt.node});
      stack_.push_back({past, attempt.matched + 1, std::max(attempt.begin, came),
                        std::min(attempt.end, went), nodes_.size() - 1});
    }
  }

  std::size_t distance(std::size_t from, std::size_t to) const {
    if (to == kNone) return text_.size() / WovenText::kStretch;
    return from > to ? from - to : to - from;
  }

  std::vector<std::size_t> units_of(const Attempt& attempt) const {
    std::vector<std::size_t> units;
    for (std::size_t node = attempt.node; node != kNone; node = nodes_[node].parent) {
      units.push_back(nodes_[node].unit);
    }
    std::sort(units.begin(), units.end());
    return units;
  }

  void report(std::size_t anchor_unit) {
    std::sort(spans_.begin(), spans_.end(),
              [](const Attempt& a, const Attempt& b) { return a.begin < b.begin; });
    Occurrence& occurrence = found_.occurrences.emplace_back();
    occurrence.unit = anchor_unit;
    for (const Attempt& span : spans_) {
      const std::vector<std::size_t> units = units_of(span);
      if (occurrence.spans.empty()) occurrence.writers = writers_of(units);
      if (!occurrence.spans.empty() && occurrence.spans.back().until == span.begin) {
        occurrence.spans.back().until = span.end;
        occurrence.spans.back().ended_by = ender_of(units, span.end);
      } else {
        occurrence.spans.push_back(
            {span.begin, completer_of(units, span.begin), span.end, ender_of(units, span.end)});
      }
    }
  }

  std::vector<ClientId> writers_of(const std::vector<std::size_t>& units) const {
    std::vector<ClientId> writers;
    for (const std::size_t unit : units) {
      const ClientId client = text_.people_[text_.clients_[unit]];
      if (std::find(writers.begin(), writers.end(), client) == writers.end()) {
        writers.push_back(client);
      }
    }
    return writers;
  }

  // The one who wrote a character of it then, else who deleted what stood between.
  ClientId completer_of(const std::vector<std::size_t>& units, std::uint32_t seq) const {
    for (const std::size_t unit : units) {
      if (text_.inserted_[unit] == seq) return text_.people_[text_.clients_[unit]];
    }
    for (std::size_t unit = units.front(); unit < units.back(); ++unit) {
      if (text_.deleted_[unit] == seq) return text_.people_[text_.deleters_[unit]];
    }
    return 0;
  }

  // The one who deleted a character of it then, else who wrote something between.
  ClientId ender_of(const std::vector<std::size_t>& units, std::uint32_t seq) const {
    if (seq == WovenText::kNever) return 0;
    for (const std::size_t unit : units) {
      if (text_.deleted_[unit] == seq) return text_.people_[text_.deleters_[unit]];
    }
    for (std::size_t unit = units.front(); unit < units.back(); ++unit) {
      if (text_.inserted_[unit] == seq) return text_.people_[text_.clients_[unit]];
    }
    return 0;
  }

  const WovenText& text_;
  const std::u16string phrase_;
  const WovenText::SearchLimits limits_;
  WovenText::Found found_;
  std::uint64_t steps_ = 0;
  // Of one anchor; their memory is kept from one to the next.
  std::vector<Node> nodes_;
  std::vector<Attempt> stack_;
  std::vector<Attempt> lefts_;
  std::vector<Attempt> spans_;
};

WovenText::Found WovenText::search(std::string_view phrase, const SearchLimits& limits) const {
  PALIMPSEST_ASSERT(!phrase.empty());
  std::u16string units(length_utf16(phrase), u'\0');
  internal::to_utf16(ByteView(reinterpret_cast<const std::uint8_t*>(phrase.data()), phrase.size()),
                     units.data());
  return WovenSearch(*this, std::move(units), limits).run();
}

namespace {

// The units of a range of `shown` that are the phrase and have the one at `middle` among them.
std::vector<std::size_t> find_phrase(const std::vector<std::size_t>& shown, std::size_t middle,
                                     std::u16string_view characters, std::u16string_view phrase) {
  for (std::size_t at = characters.find(phrase); at != characters.npos && at <= middle;
       at = characters.find(phrase, at + 1)) {
    if (middle >= at + phrase.size()) continue;
    const auto begin = shown.begin() + static_cast<std::ptrdiff_t>(at);
    return {begin, begin + static_cast<std::ptrdiff_t>(phrase.size())};
  }
  return {};
}

}  // namespace

// Which of the phrase's units the occurrence names is not known: so as many of those shown are
// looked at before it, and behind it, as there may be.
std::vector<std::size_t> WovenText::units_of(const Occurrence& occurrence,
                                             const Occurrence::Span& span,
                                             std::string_view phrase) const {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(phrase.data());
  std::u16string wanted(length_utf16(phrase), u'\0');
  internal::to_utf16(ByteView(bytes, phrase.size()), wanted.data());
  std::vector<std::size_t> shown;
  for (std::size_t unit = occurrence.unit; shown.size() + 1 < wanted.size();) {
    unit = previous_between(unit, span.from, span.from + 1);
    if (unit == kNone) break;
    shown.push_back(unit);
  }
  std::reverse(shown.begin(), shown.end());
  const std::size_t middle = shown.size();
  for (std::size_t unit = occurrence.unit; unit != kNone && shown.size() < middle + wanted.size();
       unit = next_between(unit + 1, span.from, span.from + 1))
    shown.push_back(unit);
  std::u16string characters;
  for (const std::size_t unit : shown) characters += units_[unit];
  return find_phrase(shown, middle, characters, wanted);
}

}  // namespace palimpsest::crdt
