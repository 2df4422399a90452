import { useEffect, useRef } from 'preact/hooks';
import { kNameLimit, me, rename } from '../me';

/** Asks for one's own name, which the others see at the caret. */
export function NameDialog({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);

  useEffect(() => {
    dialog.current?.showModal();
    input.current?.select();
  }, []);

  const save = (event: Event) => {
    event.preventDefault();
    rename(input.current?.value ?? '');
    dialog.current?.close();
  };

  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="name-title" onClose={onClose}>
      <form onSubmit={save}>
        <h2 id="name-title">Your name</h2>
        <p id="name-help">Others see it at your caret and beside what you write.</p>
        <input
          ref={input}
          class="field"
          name="name"
          required
          maxLength={kNameLimit}
          defaultValue={me.value.name}
          autocomplete="name"
          aria-labelledby="name-title"
          aria-describedby="name-help"
        />
        <div class="actions">
          <button type="button" class="btn ghost" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class="btn primary">
            Save
          </button>
        </div>
      </form>
    </dialog>
  );
}
