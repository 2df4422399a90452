import * as decoding from 'lib0/decoding';

/** A message 9, or null for any other. */
export function readPast(bytes: Uint8Array): { ageMs: number; update: Uint8Array } | null {
  const decoder = decoding.createDecoder(bytes);
  if (decoding.readVarUint(decoder) !== 9) return null;
  return { ageMs: decoding.readVarUint(decoder), update: decoding.readVarUint8Array(decoder) };
}
