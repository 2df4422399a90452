#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "crdt/id.hpp"
#include "crdt/reader.hpp"
#include "crdt/weave.hpp"
#include "crdt/woven_text.hpp"
#include "crdt/writer.hpp"
#include "storage/store.hpp"

namespace palimpsest::storage {

// What was asked of a history does not fit the document: a moment that there is none of, a text
// that is not in it. what() names it, and fits behind the name of the parameter.
class NotInHistory : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A history that takes more than it may. what() names both.
class HistoryTooLarge : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One document's past, read from its log: who wrote what, when, and what it said at any moment.
//
// Time is when a change was made: for one made offline what its client says, else when it came
// (EntryView). Authorship goes by client id: what an update brings is its clients' work, what it
// deletes its sender's.
//
// A long one is opened from what was kept of it (storage/history_checkpoint.hpp): the timeline is
// in there, and the weave is taken up when somebody asks for more, or something new has come.
//
// Home:   one thread at a time, const functions too.
// Errors: storage::Error where the log cannot be read, NotInHistory.
// Cost:   catch_up() O(what is new), of a first time O(all of it): from the log some 0.2 µs for
// each
//         change, from what was kept 10 ns and later 30 ns more. Afterwards the first question
//         about a text is O(its units), as are those that follow a change; see crdt::WovenText for
//         the rest.
class History {
 public:
  // Which text of a document is asked about: a root, or a text inside other types by the item that
  // carries it.
  struct TextName {
    std::string root;
    std::optional<crdt::Id> type;

    friend bool operator<(const TextName& a, const TextName& b) { return a.key() < b.key(); }
    friend bool operator==(const TextName&, const TextName&) = default;

   private:
    std::tuple<std::string_view, bool, crdt::ClientId, crdt::Clock> key() const {
      const crdt::Id id = type.value_or(crdt::Id{});
      return {root, type.has_value(), id.client, id.clock};
    }
  };

  // It takes no more than so many bytes of updates: about twice as much memory, and up to 18 times
  // where they consist of nothing but text.
  explicit History(std::string document,
                   std::size_t most_bytes = std::numeric_limits<std::size_t>::max());

  // Reads what has come to the log since. False where there is no such document. Throws
  // HistoryTooLarge.
  bool catch_up(Reader& reader);

  // What it takes to open it again (Reader::prepare_history()). A grammar stands above the function
  // (history_form.cpp).
  crdt::Bytes encode();
  // Whether that is what these bytes are, to the last of them. As slow as opening it.
  static bool is_encoded(crdt::ByteView bytes);

  const std::string& document() const { return document_; }
  // Of what was read.
  const LogVersion& log_version() const { return log_version_; }
  Seq last_seq() const { return made_.size() - 1; }
  const crdt::Weave& weave() const;

  // When the change was made.
  Time time_of(Seq seq) const { return made_[seq]; }
  // The name seen first for the client; "" where none was.
  const std::string& name_of(crdt::ClientId client) const;
  // Everybody whose work is in it, by the first appearance.
  std::vector<Author> authors();

  // Moments that have a name, the earliest first.
  const std::vector<Version>& versions() const { return versions_; }
  // A moment as the number of a change: `when` is such a number, v:NAME of a version, or an RFC
  // 3339 time: then the last change that had come by then, 0 where none had. Throws NotInHistory,
  // and std::invalid_argument for what is neither.
  // Inside of a thinned burst it is the end of the one before (see look_up()).
  Seq resolve(std::string_view when) const { return look_up(when).seq; }
  // A moment that was asked for, and the one that there is of it.
  struct Moment {
    Seq asked = 0;
    Seq seq = 0;  // before it where what was asked for lies inside of a thinned burst
    bool is_thinned() const { return seq != asked; }
  };
  Moment look_up(std::string_view when) const;
  // Up to where the history was thinned to bursts, when and by which rule.
  const std::optional<Thinned>& thinned() const { return thinned_; }
  // The last change that had come by then; 0 where none had.
  Seq come_by(Time time) const;

  // crdt::Weave::texts()
  const std::vector<crdt::Weave::Text>& texts();
  // The one to look at where nobody says which: `content`, which the web client edits, or else the
  // first root with text. Throws NotInHistory where there is none.
  TextName main_text() const;
  // Throws NotInHistory.
  const crdt::WovenText& text(const TextName& name);
  // That with the times of all changes and the names of people, for a browser. A grammar stands
  // above the function (history.cpp).
  crdt::Bytes encode_weave(const TextName& name);
  // Which changes belong together when runs of one author are told: those of one sitting.
  crdt::WovenText::Groups groups() const { return sitting_of_seq_; }

  // --- The timeline ---

  struct Share {
    crdt::ClientId client = 0;
    std::uint64_t changes = 0;
    std::uint64_t inserted = 0;  // UTF-16 units of text that came
    std::uint64_t deleted = 0;   // and that went
  };
  // Changes that were made in one go.
  struct Burst {
    Seq first = 0;
    Seq last = 0;  // others' changes may lie between
    Time begin;
    Time end;
    std::vector<Share> shares;  // who took part, in the order in which they came in
    std::string place;          // the heading above the last change; "" where there is none
  };
  enum class Group {
    kBurst,    // of one author, who paused for a minute before and behind
    kSitting,  // of all, until everybody paused for 15 minutes
  };
  // At most `limit` that begin before change `before`, the last first; more only where the first of
  // them begins with the same change as others.
  std::vector<Burst> timeline(Group group, Seq before, std::size_t limit);

  // After which changes somebody's burst ends, each once and in order.
  std::vector<Seq> burst_ends();

  struct Bucket {
    Time begin;
    std::vector<Share> shares;
  };
  // How much each author did in each piece of time in which there was something, the first first.
  std::vector<Bucket> activity(std::chrono::milliseconds bucket) const;

  std::size_t memory_bytes() const;

 private:
  struct Woven {
    crdt::WovenText text;
    std::optional<crdt::WovenText::SeqIndex> index;  // once it was needed
  };
  // What the timeline shows, as far as it was grouped.
  struct Bursts {
    std::vector<Burst> all;
    std::vector<bool> has_place;  // or it is still to be looked for
    Seq until = 0;
  };

  void add(const EntryView& entry);
  void take_up(Reader& reader);
  void take_bytes(std::size_t bytes);
  void note_thinned(std::optional<Thinned> thinned);
  void note_time(Time made, Time come);
  Seq seq_asked_for(std::string_view when) const;
  Seq seq_of_version(std::string_view name) const;
  Woven& woven(const TextName& name);
  Bursts& bursts(Group group);
  void group_what_is_new(Group group, Bursts& bursts);
  void find_places(Bursts& bursts, std::size_t begin, std::size_t end);
  std::optional<TextName> find_main_text() const;
  std::string place_of(const Burst& burst, const Woven& main) const;

  // In history_form.cpp.
  void decode(crdt::ByteView bytes);
  void decode_moments(crdt::ByteView bytes);
  static crdt::Weave unpack_weave(crdt::ByteView frame);
  void write_times(crdt::Writer& writer) const;
  void read_times(crdt::Reader& reader, Seq last);

  std::string document_;
  std::size_t free_bytes_;
  std::size_t most_bytes_;
  mutable crdt::Weave weave_;
  mutable crdt::Bytes kept_weave_;  // not taken up yet, where there is one
  // By seq; 0 stands for the time before all.
  std::vector<Time> made_;
  std::vector<Time> come_;  // never falling, though the clock may
  std::vector<std::uint32_t> sitting_of_seq_;
  Time sitting_begin_;
  Time sitting_end_;
  std::unordered_map<crdt::ClientId, std::string> names_;
  std::vector<Version> versions_;
  LogVersion log_version_;  // of what was read
  std::optional<Thinned> thinned_;
  std::vector<Seq> ends_;  // of the bursts in what was thinned
  // Made when asked for, dropped with the next change.
  std::map<TextName, Woven> woven_;
  std::optional<std::vector<crdt::Weave::Text>> texts_;
  // Made when asked for, and from there on.
  std::map<Group, Bursts> bursts_;
  std::optional<TextName> place_text_;  // which the places of bursts are in
};

}  // namespace palimpsest::storage
