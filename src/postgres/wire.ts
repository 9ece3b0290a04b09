import { SqlError } from './database.ts';

// Messages of the frontend/backend protocol 3.0 (PostgreSQL manual, chapters "Message Flow" and "Message Formats").

/** One message: its type letter, and its whole bytes with type and length. */
export interface Message {
  readonly type: string;
  readonly bytes: Buffer;
  /** What follows the length. */
  readonly body: Buffer;
}

/** What the first message of a connection, which has no type letter, asks for. */
export const START = { protocol: 3, cancel: 80_877_102, tls: 80_877_103, gss: 80_877_104 } as const;

/** The server takes no longer ones itself (`MaxAllocSize`); nothing of a migration comes near. */
const MAX_BYTES = 256 * 1024 * 1024;
const MAX_START = 10_000;

/** Parts a stream of bytes into messages, however they arrive. */
export class Frames {
  private chunks: Buffer[] = [];
  private size = 0;
  /** Bytes that the next message needs, as far as is known: less is not worth a look. */
  private needed = 0;
  private start: boolean;

  /** @param start the first message is one without a type letter */
  constructor(start: boolean) {
    this.start = start;
  }

  /** After a refused encryption the client begins once more. */
  expectStart(): void {
    this.start = true;
  }

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
  }

  /**
   * The next whole message, if it is there.
   * @throws Error for a length that no message has
   */
  next(): Message | undefined {
    const header = this.start ? 4 : 5;
    if (this.size < Math.max(header, this.needed)) return undefined;
    const length = this.peek(header).readInt32BE(header - 4);
    const limit = this.start ? MAX_START : MAX_BYTES;
    if (length < 4 || length > limit) throw new Error(`a message of ${length} bytes is none of this protocol`);
    const whole = length + header - 4;
    this.needed = whole;
    if (this.size < whole) return undefined;
    this.needed = 0;
    const all = this.peek(whole);
    const bytes = all.subarray(0, whole);
    this.chunks.splice(0, 1, ...(all.length > whole ? [all.subarray(whole)] : []));
    this.size -= whole;
    const type = this.start ? '' : String.fromCharCode(bytes[0] ?? 0);
    this.start = false;
    return { type, bytes, body: bytes.subarray(header) };
  }

  /** Takes what has arrived and is no whole message yet. */
  drain(): Buffer {
    const all = Buffer.concat(this.chunks);
    this.chunks = [];
    this.size = 0;
    this.needed = 0;
    return all;
  }

  /** The first chunk, joined with the others only where it is shorter than what is asked for. */
  private peek(bytes: number): Buffer {
    const [first] = this.chunks;
    if (first !== undefined && first.length >= bytes) return first;
    const all = Buffer.concat(this.chunks);
    this.chunks = [all];
    return all;
  }
}

/** A message of a type. */
export function message(type: string, ...parts: readonly (string | Buffer | number)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => bytesOf(part)));
  const head = Buffer.alloc(type.length + 4);
  head.write(type);
  head.writeInt32BE(body.length + 4, type.length);
  return Buffer.concat([head, body]);
}

/** Text ends with a zero byte, a number is an Int32. */
function bytesOf(part: string | Buffer | number): Buffer {
  if (typeof part === 'string') return Buffer.from(`${part}\0`);
  if (typeof part === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(part);
    return bytes;
  }
  return part;
}

/** The zero-ended texts of a body, one after the other. */
export class Reader {
  private at = 0;
  private readonly body: Buffer;
  constructor(body: Buffer) {
    this.body = body;
  }
  get done(): boolean {
    return this.at >= this.body.length;
  }
  text(): string {
    const end = this.body.indexOf(0, this.at);
    const stop = end === -1 ? this.body.length : end;
    const found = this.body.toString('utf8', this.at, stop);
    this.at = stop + 1;
    return found;
  }
  int16(): number {
    this.at += 2;
    return this.body.readInt16BE(this.at - 2);
  }
  int32(): number {
    this.at += 4;
    return this.body.readInt32BE(this.at - 4);
  }
  bytes(length: number): Buffer {
    this.at += length;
    return this.body.subarray(this.at - length, this.at);
  }
}

/** The fields of an ErrorResponse or NoticeResponse by their letters. */
export function errorFields(body: Buffer): ReadonlyMap<string, string> {
  const reader = new Reader(body);
  const fields = new Map<string, string>();
  while (!reader.done) {
    const field = reader.text();
    if (field === '') break;
    fields.set(field.slice(0, 1), field.slice(1));
  }
  return fields;
}

/** An ErrorResponse as an error. */
export function sqlError(body: Buffer): SqlError {
  const fields = errorFields(body);
  const [detail, hint, position] = [fields.get('D'), fields.get('H'), Number(fields.get('P'))];
  return new SqlError(fields.get('M') ?? 'the server said nothing', fields.get('C') ?? 'XX000', {
    ...(detail !== undefined && { detail }),
    ...(hint !== undefined && { hint }),
    ...(position > 0 && { position }),
  });
}

/** An ErrorResponse that ends the session. */
export function fatal(code: string, text: string): Buffer {
  return message('E', 'SFATAL', 'VFATAL', `C${code}`, `M${text}`, Buffer.from([0]));
}

/** An error as an ErrorResponse that ends the statement. */
export function refused({ code, message: text, detail, hint }: SqlError): Buffer {
  const more = [...(detail === undefined ? [] : [`D${detail}`]), ...(hint === undefined ? [] : [`H${hint}`])];
  return message('E', 'SERROR', 'VERROR', `C${code}`, `M${text}`, ...more, Buffer.from([0]));
}
