/**
 * What each module in engines/ exports as `Replica`: one document of that engine, so that all of
 * them are measured by the same loops. Positions and lengths are UTF-16 code units.
 */
export declare class Replica {
  /** Which files of an input it takes: input.mjs. */
  static readonly format: 'yjs' | 'loro' | 'automerge' | 'diamond-types'

  /** Without a client it receives only. */
  constructor(client?: number)
  /** Memory of WebAssembly is nobody else's to give back. */
  free(): void

  /** One update, as a peer gets it. */
  receive(update: Uint8Array): void
  /** Where the engine has a quicker way to take many at once; for making inputs. */
  receiveAll?(updates: readonly Uint8Array[]): void
  /** Where loading a whole state is not receiving it. */
  load?(state: Uint8Array): void
  /** The same in update format v2, of those engines that have one. */
  receiveV2?(state: Uint8Array): void
  encodeV2?(): Uint8Array

  /** What the document says, as FORMAT.content of an input does. */
  content(kind: 'text' | 'map' | 'xml'): string

  /** One edit of the text as one transaction: its update. */
  edit(position: number, deleted: number, inserted: string): Uint8Array

  encode(): Uint8Array
  version(): Uint8Array
  /** What a replica at `version` lacks. */
  encodeSince(version: Uint8Array): Uint8Array
}
