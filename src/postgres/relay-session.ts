import type { Socket } from 'node:net';
import { messageOf } from '../action/errors.ts';
import type { Row } from './database.ts';
import type { Between, Outcome, RelayHooks, Seen } from './relay-hooks.ts';
import { Question } from './relay-question.ts';
import type { Upstream } from './sign-in.ts';
import { Prepared } from './prepared.ts';
import { Several, timed } from './relay-parts.ts';
import { Frames, type Message, fatal, message, refused, sqlError } from './wire.ts';

/** A statement on its way. */
interface Running {
  readonly seen: Seen;
  readonly began: number;
  ended?: Outcome & { readonly at: number };
}

interface Ends {
  readonly client: Socket;
  /** What has arrived of the client's messages. */
  readonly frames: Frames;
  readonly upstream: Upstream;
  readonly hooks: RelayHooks;
  /** Has the server cancel what the session runs. */
  readonly cancel: () => Promise<void>;
}

/** Messages that go on at once, whatever runs: data of a COPY, and the end. */
const AT_ONCE = new Set(['d', 'c', 'f', 'X']);

/** A client may send ahead of what runs; of more than this the network keeps the rest. */
const MAX_WAITING = 32_000_000;

/**
 * One client with its session of the server. Messages of the client are gathered up to a point where the server would
 * be idle (a query, Sync or Flush), so that hooks can ask the server before them and after them in the same session.
 */
export class RelaySession {
  readonly key: Upstream['key'];
  private readonly ends: Ends;
  private readonly prepared = new Prepared();
  private readonly fromServer = new Frames(false);
  private state: Between['state'] = 'I';
  /** The client's messages that wait for what runs. */
  private waiting: Message[] = [];
  private waitingBytes = 0;
  private batch: Message[] = [];
  private running: Running[] = [];
  private question: Question | undefined;
  /** Until ReadyForQuery the server belongs to what was sent last. */
  private busy = false;
  private flushed = false;
  private over = false;
  /** Statements of one simple query that are sent one by one. */
  private readonly several = new Several();

  constructor(ends: Ends) {
    [this.ends, this.key] = [ends, ends.upstream.key];
  }

  /** Tells the client that it is in, and passes on from there. */
  async begin(): Promise<void> {
    const { client, upstream, hooks, frames } = this.ends;
    const { stream, parameters, key, rest } = upstream;
    stream.on('data', (chunk: Buffer) => this.guard(() => this.hearServer(chunk)));
    stream.on('error', () => void this.end()).on('close', () => void this.end());
    if (rest.length > 0) this.hearServer(rest);
    stream.resume();
    client.write(message('R', 0));
    for (const [name, value] of parameters) client.write(message('S', name, value));
    client.write(message('K', key.pid, key.secret));
    await hooks.opened?.(this.between());
    client.write(message('Z', Buffer.from('I')));
    client.on('data', (chunk: Buffer) => {
      frames.push(chunk);
      this.guard(() => this.hearClient());
    });
    client.once('close', () => void this.end());
    this.hearClient();
    client.resume();
  }

  /** A statement whose client is gone would hold its locks to its end: it is cancelled. */
  async end(): Promise<void> {
    if (this.over) return;
    this.over = true;
    this.question?.giveUp();
    const { client, upstream, cancel } = this.ends;
    client.end();
    if (this.busy) await cancel().catch(() => undefined);
    upstream.stream.end(message('X'));
    setTimeout(() => upstream.stream.destroy(), 2000).unref();
  }

  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    if (!this.over) this.ends.client.write(fatal('XX000', `the relay gave up: ${messageOf(error)}`));
    void this.end();
  }

  // The client's side

  private hearClient(): void {
    const { frames } = this.ends;
    for (let next = frames.next(); next !== undefined; next = frames.next()) {
      if (AT_ONCE.has(next.type)) this.toServer(next.bytes);
      else {
        this.waiting.push(next);
        this.waitingBytes += next.bytes.length;
      }
    }
    this.advance();
    this.regulate();
  }

  /** Sends the next batch once the server is idle. */
  private advance(): void {
    while (!this.over && (!this.busy || this.flushed)) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      this.waitingBytes -= next.bytes.length;
      this.regulate();
      this.batch.push(next);
      if (next.type === 'Q' || next.type === 'F' || next.type === 'S' || next.type === 'H') {
        const batch = this.batch;
        this.batch = [];
        const idle = !this.busy;
        this.busy = true;
        this.flushed = false;
        this.send(batch, idle).catch((error: unknown) => this.fail(error));
      }
    }
  }

  private async send(batch: readonly Message[], idle: boolean): Promise<void> {
    const { hooks } = this.ends;
    for (const one of batch) {
      const found = this.prepared.read(one);
      if (found === undefined) continue;
      const seen: Seen = { pid: this.key.pid, ...found, inTransaction: this.state !== 'I' };
      const parts = one.type === 'Q' ? (hooks.split?.(found.sql) ?? []) : [];
      if (parts.length > 1 && idle) return this.sendPart(parts);
      if (idle) await hooks.before?.(seen, this.between());
      this.running.push({ seen, began: performance.now() });
    }
    for (const { bytes } of batch) this.toServer(bytes);
    this.flushed = batch.at(-1)?.type === 'H';
    if (this.flushed) this.advance();
  }

  private async sendPart(parts?: readonly string[]): Promise<void> {
    if (parts !== undefined) this.several.begin(parts);
    const { sql, opens } = this.several.next(this.state);
    if (opens) await this.ask('BEGIN');
    const seen: Seen = { pid: this.key.pid, sql, parameters: [], inTransaction: this.state !== 'I' };
    await this.ends.hooks.before?.(seen, this.between());
    this.running.push({ seen, began: performance.now() });
    this.toServer(message('Q', sql));
  }

  // The server's side

  private hearServer(chunk: Buffer): void {
    this.fromServer.push(chunk);
    let out: Buffer[] = [];
    for (let next = this.fromServer.next(); next !== undefined; next = this.fromServer.next()) {
      if (this.question !== undefined) {
        if (next.type === 'Z') this.answered(next);
        else if (!this.question.hear(next)) out.push(next.bytes);
      } else if (next.type === 'Z') {
        this.toClient(...out);
        out = [];
        this.ready(next);
      } else {
        this.note(next);
        out.push(next.bytes);
      }
    }
    this.toClient(...out);
  }

  /** Keeps when each statement ended, and how; a query of several is one, which ends with the last of them. */
  private note({ type, body }: Message): void {
    if (type !== 'C' && type !== 'E' && type !== 'I' && type !== 's') return;
    const first = this.running.findIndex(({ ended }) => ended === undefined);
    const at = first === -1 ? this.running.length - 1 : first;
    const one = this.running[at];
    if (one === undefined) return;
    const now = performance.now();
    const since = Math.max(one.began, this.running[at - 1]?.ended?.at ?? 0);
    one.ended = { at: now, seconds: (now - since) / 1000, ...(type === 'E' && { error: sqlError(body) }) };
    // What comes after an error, up to Sync, the server passes over.
    if (type === 'E') this.running.length = at + 1;
  }

  private ready({ body, bytes }: Message): void {
    this.state = String.fromCharCode(body[0] ?? 0) as Between['state'];
    const ended = this.running.filter(({ ended: end }) => end !== undefined);
    this.running = [];
    this.conclude(ended, bytes).catch((error: unknown) => this.fail(error));
  }

  private async conclude(ended: readonly Running[], ready: Buffer): Promise<void> {
    const { hooks } = this.ends;
    let failed = false;
    for (const { seen, ended: end } of ended) {
      if (end === undefined) continue;
      failed ||= end.error !== undefined;
      await hooks.after?.(seen, end, this.between());
    }
    const then = this.several.after(this.state, failed);
    if (then === 'next') return this.sendPart();
    if (then !== undefined) await this.unwrap(then);
    const told = Buffer.from(ready);
    told.write(this.state, 5);
    this.toClient(told);
    this.busy = false;
    this.flushed = false;
    this.advance();
  }

  /** Ends the transaction that nobody names, as the server would; its COMMIT is told as one. */
  private async unwrap(sql: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    const outcome = await timed(this.ask(sql));
    if (sql === 'ROLLBACK') return;
    if (outcome.error !== undefined) this.toClient(refused(outcome.error));
    const seen: Seen = { pid: this.key.pid, sql, parameters: [], inTransaction: true };
    await this.ends.hooks.after?.(seen, outcome, this.between());
  }

  // Questions of the hooks

  private between(): Between {
    const state = (): Between['state'] => this.state;
    return {
      get state() {
        return state();
      },
      ask: async <T extends Row>(sql: string) => (await this.ask(sql)) as readonly T[],
    };
  }

  private answered({ body }: Message): void {
    const { question } = this;
    this.state = String.fromCharCode(body[0] ?? 0) as Between['state'];
    this.question = undefined;
    question?.end();
  }

  private async ask(sql: string): Promise<readonly Row[]> {
    if (this.over) throw new Error('the session ended');
    if (this.question !== undefined) throw new Error('one question at a time');
    this.question = new Question(sql, this.prepared.hasUnnamed);
    this.toServer(this.question.bytes);
    return this.question.answer;
  }

  // Who is slow makes the other wait

  private toServer(bytes: Buffer): void {
    if (this.over || this.ends.upstream.stream.write(bytes)) return;
    this.regulate();
    this.ends.upstream.stream.once('drain', () => this.regulate());
  }

  /** Hears no more of the client while the server is slow, or runs what was sent long before. */
  private regulate(): void {
    const { client, upstream } = this.ends;
    const slow = upstream.stream.writableNeedDrain || this.waitingBytes > MAX_WAITING;
    if (slow) client.pause();
    else if (client.isPaused()) client.resume();
  }

  private toClient(...messages: readonly Buffer[]): void {
    const { client, upstream } = this.ends;
    if (
      messages.length === 0 ||
      client.destroyed ||
      client.write(Buffer.concat(messages)) ||
      upstream.stream.isPaused()
    )
      return;
    upstream.stream.pause();
    client.once('drain', () => upstream.stream.resume());
  }
}
