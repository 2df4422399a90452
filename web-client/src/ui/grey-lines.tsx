const kWidths = ['w60', 'w95', 'w90', 'w70', 'w95', 'w50'] as const;

/** Where text will be. Appears only when it takes a while. */
export function GreyLines() {
  return (
    <div class="grey-lines" role="status" aria-label="Loading">
      {kWidths.map((width, index) => (
        <span key={index} class={width} />
      ))}
    </div>
  );
}
