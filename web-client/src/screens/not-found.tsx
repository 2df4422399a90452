/** An address that leads nowhere. */
export function NotFoundScreen() {
  return (
    <main class="nowhere">
      <h1>There is nothing here</h1>
      <p>This address leads to no document.</p>
      <a class="btn" href="/">
        All documents
      </a>
    </main>
  );
}
