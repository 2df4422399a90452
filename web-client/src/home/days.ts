/** What can be put under a day. */
export interface Dated {
  readonly editedAt: number;
}

/** Some of a list under one heading. */
export interface DayGroup<T> {
  readonly label: string;
  readonly items: readonly T[];
}

const kLocale = 'en-GB';
const kDayMs = 86_400_000;

const startOfDay = (time: number): Date => {
  const date = new Date(time);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate());
};

/** Whole calendar days between two moments; changes of the clock do not count. */
const daysBetween = (earlier: number, later: number): number =>
  Math.round((startOfDay(later).getTime() - startOfDay(earlier).getTime()) / kDayMs);

/** Days since Monday. */
const weekday = (time: number): number => (new Date(time).getDay() + 6) % 7;

/** The heading for a moment, seen from `now`. */
export function dayLabel(time: number, now: number): string {
  const days = daysBetween(time, now);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days <= weekday(now)) return 'Earlier this week';
  if (days <= weekday(now) + 7) return 'Last week';
  const date = new Date(time);
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  return date.toLocaleDateString(kLocale, {
    month: 'long',
    ...(isThisYear ? {} : { year: 'numeric' }),
  });
}

/** Puts a list, newest first, under its days. */
export function groupByDay<T extends Dated>(items: readonly T[], now: number): DayGroup<T>[] {
  const groups = new Map<string, T[]>();
  for (const item of items.toSorted((a, b) => b.editedAt - a.editedAt)) {
    const label = dayLabel(item.editedAt, now);
    groups.set(label, [...(groups.get(label) ?? []), item]);
  }
  return [...groups].map(([label, grouped]) => ({ label, items: grouped }));
}

/** A moment as short as its distance allows: "now", "26 min", "2 h", "Thu 17:40", "Wed", "3 Oct". */
export function shortTime(time: number, now: number): string {
  const minutes = Math.floor((now - time) / 60_000);
  const days = daysBetween(time, now);
  const date = new Date(time);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes} min`;
  if (days <= 0) return `${Math.floor(minutes / 60)} h`;
  const day = date.toLocaleDateString(kLocale, { weekday: 'short' });
  if (days === 1) {
    const clock = date.toLocaleTimeString(kLocale, { hour: '2-digit', minute: '2-digit' });
    return `${day} ${clock}`;
  }
  if (days < 7) return day;
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  return date.toLocaleDateString(kLocale, {
    day: 'numeric',
    month: 'short',
    ...(isThisYear ? {} : { year: 'numeric' }),
  });
}
