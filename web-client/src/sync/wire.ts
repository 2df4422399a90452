import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';

// The y-websocket wire (y-protocols PROTOCOL.md), with the two additions of a server that answers
// `?ack=1`:
//
// frame    := message+
// message  := varUint(0) sync | varUint(1) awareness | varUint(2) auth | varUint(3)
//           | varUint(8) ack | varUint(9) past
// sync     := varUint(0) varUint8Array(stateVector)     step 1
//           | varUint(1) varUint8Array(update)          step 2
//           | varUint(2) varUint8Array(update)
// awareness:= varUint8Array(awarenessUpdate)
// auth     := varUint(0) varString(reason)
// ack      := varUint(0) varUint(generation)            first message of the server, once
//           | varUint(count)                            count > 0
// past     := varUint(ageMs) varUint8Array(update)

const kSync = 0;
const kAwareness = 1;
const kAuth = 2;
const kQueryAwareness = 3;
const kAck = 8;
const kPast = 9;

/** One message from the other side. */
export type Message =
  | { readonly kind: 'step1'; readonly stateVector: Uint8Array }
  | { readonly kind: 'step2'; readonly update: Uint8Array }
  | { readonly kind: 'update'; readonly update: Uint8Array }
  | { readonly kind: 'awareness'; readonly update: Uint8Array }
  | { readonly kind: 'denied'; readonly reason: string }
  | { readonly kind: 'query-awareness' }
  | { readonly kind: 'announce'; readonly generation: number }
  | { readonly kind: 'ack'; readonly count: number };

type Body = (encoder: encoding.Encoder) => void;

const message = (type: number, body: Body): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, type);
    body(encoder);
  });

const sync = (step: number, bytes: Uint8Array): Uint8Array =>
  message(kSync, (encoder) => {
    encoding.writeVarUint(encoder, step);
    encoding.writeVarUint8Array(encoder, bytes);
  });

/** "This is what I have": asks for the rest. */
export const step1 = (stateVector: Uint8Array): Uint8Array => sync(0, stateVector);
/** The answer to a step 1. */
export const step2 = (update: Uint8Array): Uint8Array => sync(1, update);
/** A change made just now. */
export const update = (bytes: Uint8Array): Uint8Array => sync(2, bytes);

/** Who is where: an encoded awareness update. */
export const awareness = (bytes: Uint8Array): Uint8Array =>
  message(kAwareness, (encoder) => encoding.writeVarUint8Array(encoder, bytes));

/** Asks for everybody's awareness. */
export const queryAwareness = (): Uint8Array => message(kQueryAwareness, () => {});

/** A change made `ageMs` ago while offline; only for a server that has announced it knows these. */
export const pastUpdate = (ageMs: number, bytes: Uint8Array): Uint8Array =>
  message(kPast, (encoder) => {
    encoding.writeVarUint(encoder, Math.max(0, Math.round(ageMs)));
    encoding.writeVarUint8Array(encoder, bytes);
  });

function readSync(decoder: decoding.Decoder): Message | null {
  const step = decoding.readVarUint(decoder);
  const bytes = decoding.readVarUint8Array(decoder);
  if (step === 0) return { kind: 'step1', stateVector: bytes };
  if (step === 1) return { kind: 'step2', update: bytes };
  if (step === 2) return { kind: 'update', update: bytes };
  return null;
}

function readAck(decoder: decoding.Decoder): Message {
  const count = decoding.readVarUint(decoder);
  if (count > 0) return { kind: 'ack', count };
  return { kind: 'announce', generation: decoding.readVarUint(decoder) };
}

function readMessage(decoder: decoding.Decoder): Message | null {
  switch (decoding.readVarUint(decoder)) {
    case kSync:
      return readSync(decoder);
    case kAwareness:
      return { kind: 'awareness', update: decoding.readVarUint8Array(decoder) };
    case kAuth:
      decoding.readVarUint(decoder);
      return { kind: 'denied', reason: decoding.readVarString(decoder) };
    case kQueryAwareness:
      return { kind: 'query-awareness' };
    case kAck:
      return readAck(decoder);
    default:
      return null;
  }
}

/**
 * The messages of one frame, in order. A kind that we do not know ends the frame, because its
 * length is not known either. Throws when the bytes end inside a message.
 */
export function readFrame(bytes: Uint8Array): Message[] {
  const decoder = decoding.createDecoder(bytes);
  const messages: Message[] = [];
  while (decoding.hasContent(decoder)) {
    const next = readMessage(decoder);
    if (!next) break;
    messages.push(next);
  }
  return messages;
}
