import type { Row } from './database.ts';
import { parserOf } from './values.ts';
import { Reader } from './wire.ts';

interface Column {
  readonly name: string;
  readonly type: number;
}

/** Rows of a simple query, whose values come as text, in the types of JavaScript. */
export class RowReader {
  readonly all: Row[] = [];
  private described: readonly Column[] = [];

  /** RowDescription. */
  columns(body: Buffer): void {
    const reader = new Reader(body);
    this.described = Array.from({ length: reader.int16() }, () => {
      const name = reader.text();
      reader.bytes(6);
      const type = reader.int32();
      reader.bytes(8);
      return { name, type };
    });
  }

  /** DataRow. */
  row(body: Buffer): void {
    const reader = new Reader(body);
    reader.int16();
    this.all.push(
      Object.fromEntries(
        this.described.map(({ name, type }) => {
          const length = reader.int32();
          return [name, length < 0 ? null : parserOf(type)(reader.bytes(length).toString('utf8'))];
        }),
      ),
    );
  }
}
