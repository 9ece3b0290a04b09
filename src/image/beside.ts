import type { Host } from '../action/host.ts';
import { holdLog } from './held-log.ts';

/** How work goes on beside the checks of a build. */
export interface Beside {
  /** Its log shows nothing before the checks have passed; its programs and its signal end when it is abandoned. */
  readonly host: Host;
  /** Everything is done that leaves nothing behind: waits until the checks have passed. */
  passed(): Promise<void>;
}

/** What work beside the checks came to. */
export interface Came<T> {
  readonly value: T;
  /** From its start to its end, without the time that it waited for the checks. */
  readonly seconds: number;
}

/** Work that goes on beside the checks, and hands nothing out before they have passed. */
export class WorkBeside<T> {
  readonly #title: string;
  readonly #host: Host;
  readonly #log: ReturnType<typeof holdLog>;
  readonly #stop = new AbortController();
  readonly #checks = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended: Promise<Came<T>>;
  #hasEnded = false;

  /** @param title of its part of the log */
  constructor(title: string, work: (beside: Beside) => Promise<T>, host: Host) {
    this.#title = title;
    this.#host = host;
    this.#log = holdLog(host.log);
    this.#checks.promise.catch(() => undefined);
    this.#ended = this.#run(work);
    // What it throws, `finish` tells.
    void this.#ended
      .catch(() => undefined)
      .finally(() => {
        this.#hasEnded = true;
        this.#ready.resolve();
      });
  }

  /** The checks have passed: lets it go on, and gives what it comes to. @throws what it throws */
  async finish(): Promise<Came<T>> {
    if (!(this.#hasEnded && this.#log.isEmpty())) {
      await this.#host.log.group(this.#title, async () => {
        this.#log.release();
        await this.#ready.promise;
      });
    }
    this.#checks.resolve();
    return this.#ended;
  }

  /** Nobody wants it any more: ends its programs, and waits until they and what they left behind are gone. */
  async abandon(): Promise<void> {
    const why = new Error('it was abandoned');
    this.#stop.abort(why);
    this.#checks.reject(why);
    await this.#ended.catch(() => undefined);
  }

  async #run(work: (beside: Beside) => Promise<T>): Promise<Came<T>> {
    const { clock, exec, signal: whole } = this.#host;
    const signal = AbortSignal.any([whole, this.#stop.signal]);
    const host: Host = {
      ...this.#host,
      log: this.#log,
      signal,
      exec: { ...exec, run: async (program, args, options) => exec.run(program, args, { ...options, signal }) },
    };
    const began = clock.now();
    let waited = 0;
    const passed = async (): Promise<void> => {
      const from = clock.now();
      this.#ready.resolve();
      await this.#checks.promise;
      waited += clock.now() - from;
    };
    const value = await work({ host, passed });
    return { value, seconds: (clock.now() - began - waited) / 1000 };
  }
}
