const kPaths = {
  clock: 'M12 7v5l3 2M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18Z',
  plus: 'M12 5v14M5 12h14',
  back: 'm14 6-6 6 6 6',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  link: 'M9.5 14.5l5-5M8 12l-2 2a3.5 3.5 0 0 0 5 5l2-2M16 12l2-2a3.5 3.5 0 0 0-5-5l-2 2',
  undo: 'M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3',
  cloudOff:
    'M4 4l16 16M8.5 8.6A5 5 0 0 0 8 18h9.5M11 6.3a5.500 5.500 0 0 1 7 4.200 4 4 0 0 1 2.600 6.100',
  alert: 'M12 8v5M12 16.500h.01M12 3.500 2.500 20h19Z',
  x: 'M6 6l12 12M18 6 6 18',
  task: 'M5 4.500h14a.500.500 0 0 1 .500.500v14a.500.500 0 0 1-.500.500H5a.500.500 0 0 1-.500-.500V5a.500.500 0 0 1 .500-.500ZM8.500 12.200l2.500 2.500 4.500-5.200',
  pen: 'm4 20 1-4L16.5 4.5a2.1 2.1 0 0 1 3 3L8 19Z',
} as const;

/** The name of a drawing. */
export type IconName = keyof typeof kPaths;

/** A line drawing beside words or in a labelled button; never the only meaning. */
export function Icon({ name, large = false }: { name: IconName; large?: boolean }) {
  return (
    <svg class={large ? 'i lg' : 'i'} viewBox="0 0 24 24" aria-hidden="true">
      <path d={kPaths[name]} />
    </svg>
  );
}

/** The mark: a line of writing, and above and beneath it the fainter, earlier ones. */
export function Mark() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <rect class="mark-ground" x="1" y="1" width="22" height="22" rx="6" />
      <g class="mark-lines">
        <path d="M6.5 8.2h11" opacity=".38" />
        <path d="M6.5 12H14" />
        <path d="M6.5 15.8h11" opacity=".38" />
        <path d="M17.2 11v2.2" />
      </g>
    </svg>
  );
}
