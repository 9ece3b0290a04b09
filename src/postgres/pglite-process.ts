import { type ChildProcess, spawn } from 'node:child_process';
import { Frames } from './wire.ts';

/**
 * Runs in a process of its own, so that a statement that never ends can be ended. What comes has its length before
 * it, what goes is framed as the protocol's own messages are; the first answer, an empty one, says that it is ready.
 */
const PROGRAM = `
const { createWriteStream } = await import('node:fs');
const { PGlite } = await import(process.argv[1]);
const database = await PGlite.create();
const out = createWriteStream('', { fd: 3 });
const send = (bytes) => {
  const head = Buffer.from('A    ');
  head.writeUInt32BE(bytes.length + 4, 1);
  out.write(Buffer.concat([head, bytes]));
};
send(Buffer.alloc(0));
let kept = [];
let size = 0;
for await (const chunk of process.stdin) {
  kept.push(chunk);
  size += chunk.length;
  for (;;) {
    if (kept.length > 1 && kept[0].length < 4) kept = [Buffer.concat(kept)];
    if (size < 4 || size < 4 + kept[0].readUInt32BE(0)) break;
    const all = Buffer.concat(kept);
    const end = 4 + all.readUInt32BE(0);
    kept = [all.subarray(end)];
    size -= end;
    send(await database.execProtocolRaw(all.subarray(4, end)));
  }
}
process.exit(0);
`;

/** It makes its cluster each time. */
const START_SECONDS = 90;

/** PostgreSQL as wasm in a process of its own; it has one session, which those who want it take turns in. */
export class PgliteProcess {
  private readonly child: ChildProcess;
  private readonly answers = new Frames(false);
  private waiting: { resolve(answer: Buffer): void; reject(error: Error): void } | undefined;
  private turn: Promise<void> = Promise.resolve();
  private gone: Error | undefined;
  private readonly seconds: number;

  private constructor(entry: string, seconds: number) {
    this.seconds = seconds;
    this.child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, entry], {
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'] },
      detached: true,
    });
    this.child.stdin?.on('error', () => {});
    this.child.stdio[3]?.on('data', (chunk: Buffer) => this.hear(chunk));
    this.child.once('error', (error) => this.leave(error));
    this.child.once('close', () => this.leave(new Error('PGlite ended')));
  }

  /** @param entry URL of its module @param seconds that one statement may take */
  static async start(entry: string, seconds: number): Promise<PgliteProcess> {
    const made = new PgliteProcess(entry, seconds);
    await made.answer(START_SECONDS).catch(async (error: unknown) => {
      await made.stop();
      throw error;
    });
    return made;
  }

  /** Messages of a client up to where the server answers. @returns the answers */
  async exec(messages: Buffer): Promise<Buffer> {
    if (this.gone !== undefined) throw this.gone;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(messages.length);
    this.child.stdin?.write(Buffer.concat([length, messages]));
    return this.answer(this.seconds);
  }

  /** Waits until nobody else has the session. @returns gives it back */
  async take(): Promise<() => void> {
    const before = this.turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.turn = before.then(async () => promise);
    await before;
    return resolve;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => void this.child.once('close', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }

  private async answer(seconds: number): Promise<Buffer> {
    if (this.gone !== undefined) throw this.gone;
    const { promise, ...settle } = Promise.withResolvers<Buffer>();
    this.waiting = settle;
    const timer = setTimeout(() => {
      this.leave(new Error(`PGlite gave no answer for ${seconds} s`));
      this.child.kill('SIGKILL');
    }, seconds * 1000);
    return promise.finally(() => clearTimeout(timer));
  }

  private hear(chunk: Buffer): void {
    this.answers.push(chunk);
    for (let next = this.answers.next(); next !== undefined; next = this.answers.next()) {
      this.waiting?.resolve(next.body);
    }
  }

  private leave(error: Error): void {
    this.gone ??= error;
    this.waiting?.reject(this.gone);
  }
}
