import { Duplex } from 'node:stream';
import { callbackify } from 'node:util';
import type { PgliteProcess } from './pglite-process.ts';
import { Frames, message } from './wire.ts';

/** Messages after which the server answers; all of COPY's go at once. */
const ENDS_BATCH = new Set(['Q', 'S', 'H', 'F', 'd', 'c', 'f']);

/**
 * One client's session of PGlite, as the stream that a server's would be. While its transaction is open nobody else has
 * a turn. Settings and prepared statements end with it, as PGlite has one session for all that come one after the other.
 */
export class PgliteSession extends Duplex {
  private readonly database: PgliteProcess;
  private readonly frames = new Frames(false);
  private readonly answers = new Frames(false);
  private batch: Buffer[] = [];
  private giveBack: (() => void) | undefined;
  private left = false;

  constructor(database: PgliteProcess) {
    super();
    this.database = database;
  }

  override _read(): void {
    // Answers are pushed as they come.
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.frames.push(chunk);
    callbackify(async () => this.run())((error) => done(error));
  }

  override _final(done: () => void): void {
    callbackify(async () => this.leave())(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    callbackify(async () => this.leave())(() => done(error));
  }

  private async run(): Promise<void> {
    for (let next = this.frames.next(); next !== undefined; next = this.frames.next()) {
      if (next.type === 'X') return void this.push(null);
      this.batch.push(next.bytes);
      if (!ENDS_BATCH.has(next.type)) continue;
      const messages = Buffer.concat(this.batch);
      this.batch = [];
      this.push(await this.exec(messages));
    }
  }

  private async exec(messages: Buffer): Promise<Buffer> {
    this.giveBack ??= await this.database.take();
    const answer = await this.database.exec(messages);
    this.answers.push(answer);
    let state = '';
    for (let next = this.answers.next(); next !== undefined; next = this.answers.next()) {
      state = next.type === 'Z' ? String.fromCharCode(next.body[0] ?? 0) : '';
    }
    if (state === 'I') this.release();
    return answer;
  }

  private async leave(): Promise<void> {
    if (this.left) return;
    this.left = true;
    try {
      if (this.giveBack !== undefined) await this.exec(message('Q', 'ROLLBACK'));
      await this.exec(message('Q', 'DISCARD ALL'));
    } finally {
      this.release();
    }
  }

  private release(): void {
    this.giveBack?.();
    this.giveBack = undefined;
  }
}
