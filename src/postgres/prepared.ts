import { type Message, Reader } from './wire.ts';

/** A statement's text with what was bound to it. */
export interface Bound {
  readonly sql: string;
  readonly parameters: readonly (string | null)[];
}

/** What is kept of a bound value: it tells which migration is meant, never more. */
const MAX_VALUE = 1000;
/** Tools prepare a few dozen; a client that never closes any must not fill the memory. */
const MAX_KEPT = 10_000;

/** The statements and portals that a client named in its session (manual, "Extended Query"). */
export class Prepared {
  private readonly statements = new Map<string, string>();
  private readonly portals = new Map<string, Bound>();

  /** Whether the client parsed a statement without a name, which a simple query would end (manual, "Simple Query"). */
  get hasUnnamed(): boolean {
    return this.statements.has('');
  }

  /** Takes note of a client's message. @returns the statement where the message runs one */
  read({ type, body }: Message): Bound | undefined {
    const reader = new Reader(body);
    if (type === 'Q') {
      this.statements.delete('');
      return { sql: reader.text(), parameters: [] };
    }
    if (type === 'P') keep(this.statements, reader.text(), reader.text());
    if (type === 'B') this.bind(reader);
    if (type === 'C') (reader.bytes(1).toString() === 'S' ? this.statements : this.portals).delete(reader.text());
    return type === 'E' ? this.portals.get(reader.text()) : undefined;
  }

  private bind(reader: Reader): void {
    const [portal, statement] = [reader.text(), reader.text()];
    const formats = Array.from({ length: reader.int16() }, () => reader.int16());
    const parameters = Array.from({ length: reader.int16() }, (_, at) => {
      const length = reader.int32();
      const value = length < 0 ? null : reader.bytes(length);
      const binary = (formats.length === 1 ? formats[0] : formats[at]) === 1;
      return value === null || binary ? null : value.toString('utf8').slice(0, MAX_VALUE);
    });
    keep(this.portals, portal, { sql: this.statements.get(statement) ?? '', parameters });
  }
}

function keep<T>(into: Map<string, T>, name: string, value: T): void {
  if (into.size >= MAX_KEPT && !into.has(name)) throw new Error('too many prepared statements in one session');
  into.set(name, value);
}
